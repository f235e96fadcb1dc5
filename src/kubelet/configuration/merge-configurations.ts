type Fields = Readonly<Record<string, unknown>>

/**
 * What a file adds to the configuration so far (KEP-3983): objects are merged field by field, everything else, lists
 * among it, takes the place of what was there; `null` takes it away.
 */
export function mergedFields(base: Fields, more: Fields): Fields {
  const result: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(more)) {
    if (value === null) delete result[name]
    else result[name] = isFields(value) ? mergedFields(isFields(result[name]) ? result[name] : {}, value) : value
  }
  return result
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
