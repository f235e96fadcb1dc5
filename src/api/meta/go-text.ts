import { isPlainObject } from '../schema/own-member.ts'

/** A value as Kubernetes' messages print maps and lists: `map[image:x name:a]`, `[map[name:a]]`, keys sorted. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isPlainObject(value)) return typeof value === 'string' ? value : JSON.stringify(value)
  const members = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goText(value[key])}`)
  return `map[${members.join(' ')}]`
}
