/**
 * Writes null where a field is not set. Some times and lists are part of every answer of the API, set or not; the types
 * do not say so, since readers may treat null and absent alike.
 */
export function writeNull<T extends object>(target: T, ...fields: readonly (keyof T & string)[]): void {
  const record = target as Record<string, unknown>
  for (const field of fields) record[field] ??= null
}

/** As `writeNull`, but an empty list is not set either. */
export function writeNullForEmpty<T extends object>(target: T, ...fields: readonly (keyof T & string)[]): void {
  const record = target as Record<string, unknown>
  for (const field of fields) {
    const value = record[field]
    if (value === undefined || (Array.isArray(value) && value.length === 0)) record[field] = null
  }
}
