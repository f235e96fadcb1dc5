import type { LabelSelector } from '../types/meta.v1.ts'
import { ageOf } from './duration.ts'
import type { KubernetesObject } from './resource.ts'

/** How `kubectl get` writes the values that many kinds show. */

/** Name and age, as most kinds begin and end. */
export function nameAndAge({ metadata }: KubernetesObject, nowMs: number): readonly unknown[] {
  return [metadata.name, ageOf(metadata.creationTimestamp, nowMs)]
}

/** Name and time of creation: kinds that have no columns of their own. */
export function nameAndCreation({ metadata }: KubernetesObject): readonly unknown[] {
  return [metadata.name, metadata.creationTimestamp]
}

/** `a=b,c=d`, sorted; `<none>` for no labels. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? '<none>' : pairs.sort().join(',')
}

/** A selector in the form that `--selector` takes; `<none>` for one that selects everything or nothing. */
export function selectorCell(selector: LabelSelector | undefined): string {
  const requirements = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({
    key,
    text: `${key}=${value}`,
  }))
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const list = [...values].sort().join(',')
    if (operator === 'In') requirements.push({ key, text: `${key} in (${list})` })
    else if (operator === 'NotIn') requirements.push({ key, text: `${key} notin (${list})` })
    else if (operator === 'Exists') requirements.push({ key, text: key })
    else if (operator === 'DoesNotExist') requirements.push({ key, text: `!${key}` })
    else return '<error>'
  }
  requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return requirements.length === 0 ? '<none>' : requirements.map(({ text }) => text).join(',')
}

/** The text, or `<none>` for an absent or empty one. */
export function orNone(text: string | undefined): string {
  return text === undefined || text === '' ? '<none>' : text
}

/** Names and images of the containers: two cells. */
export function containerCells(
  containers: readonly { readonly name: string; readonly image?: string | undefined }[] | undefined,
): [string, string] {
  const list = containers ?? []
  return [list.map(({ name }) => name).join(','), list.map(({ image }) => image ?? '').join(',')]
}

/** Up to `limit` items, then how many were left out: `a,b + 3 more...`. */
export function firstFewCell(items: readonly string[], limit: number, whenEmpty: string): string {
  if (items.length === 0) return whenEmpty
  const shown = items.slice(0, limit).join(',')
  return items.length > limit ? `${shown} + ${items.length - limit} more...` : shown
}
