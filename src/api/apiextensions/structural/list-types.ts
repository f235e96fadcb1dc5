import { duplicate } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { additionalOf, itemsOf, type Schema } from './schema.ts'

/** Items that a list declared as a set or a map holds twice. */
export function validateListTypes(schema: Schema, value: unknown, path: string): FieldError[] {
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    const inside =
      items === undefined ? [] : value.flatMap((item, index) => validateListTypes(items, item, `${path}[${index}]`))
    return [...duplicates(schema, value, path), ...inside]
  }
  if (!isPlainObject(value)) return []
  const additional = additionalOf(schema)
  return Object.entries(value).flatMap(([key, member]) => {
    const property = schema.properties?.[key] ?? (additional === true ? undefined : additional)
    return property === undefined ? [] : validateListTypes(property, member, path === '' ? key : `${path}.${key}`)
  })
}

function duplicates(schema: Schema, list: readonly unknown[], path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type']
  if (listType !== 'set' && listType !== 'map') return []
  const seen = new Set<string>()
  const reported = new Set<string>()
  return list.flatMap((item, index) => {
    const shown = listType === 'set' ? item : keysOf(schema, item)
    const identity = JSON.stringify(shown)
    if (!seen.has(identity)) {
      seen.add(identity)
      return []
    }
    if (reported.has(identity)) return []
    reported.add(identity)
    return [duplicate(`${path}[${index}]`, shown)]
  })
}

function keysOf(schema: Schema, item: unknown): object {
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort()
  if (!isPlainObject(item)) return {}
  return Object.fromEntries(keys.filter((key) => item[key] !== undefined).map((key) => [key, item[key]]))
}
