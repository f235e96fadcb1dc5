import type { Draft } from '#api/kind.ts'

/** A mutable copy of JSON-shaped data, all the way down. */
export function deepCopy<T>(value: T): Draft<T> {
  return copy(value) as Draft<T>
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copy)
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value)) result[key] = copy((value as Record<string, unknown>)[key])
  return result
}
