/**
 * Whether two JSON-shaped values say the same. A member that is `undefined` counts as absent, and so do empty lists and
 * maps: the API server compares decoded objects, where these are one.
 */
export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (isVoid(a) && isVoid(b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => deepEqual(item, b[i]))
  }
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  return (
    Object.keys(left).every((key) => deepEqual(left[key], right[key])) &&
    Object.keys(right).every((key) => key in left || isVoid(right[key]))
  )
}

function isVoid(value: unknown): boolean {
  if (value === undefined || value === null) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
