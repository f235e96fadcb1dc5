import { CelError } from '#lib/cel/cel-error.ts'
import { parseDuration, parseTimestamp } from '#lib/cel/time-text.ts'
import { fromJson, JsonMap, type CelValue } from '#lib/cel/values.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, type Schema } from '../structural/schema.ts'
import { unescapeName } from './field-names.ts'

/** Turns a JSON value into the value that rules see: numbers, times and bytes are what the schema says they are. */
export function adaptValue(schema: Schema | undefined, value: unknown): CelValue {
  if (schema === undefined || value === null || isIntOrString(schema)) return fromJson(value)
  if (typeof value === 'number') {
    return schema.type === 'number' || !Number.isInteger(value) ? value : BigInt(value)
  }
  if (typeof value === 'string') return adaptText(schema.format ?? '', value)
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return value.map((item: unknown) => adaptValue(items, item))
  }
  return isPlainObject(value) ? adaptObject(schema, value) : fromJson(value)
}

function adaptText(format: string, value: string): CelValue {
  try {
    if (format === 'date-time') return parseTimestamp(value)
    if (format === 'date') return parseTimestamp(`${value}T00:00:00Z`)
    if (format === 'duration') return parseDuration(value)
    return format === 'byte' ? Buffer.from(value, 'base64') : value
  } catch (error) {
    if (error instanceof CelError) return value
    throw error
  }
}

function adaptObject(schema: Schema, value: Record<string, unknown>): CelValue {
  const additional = additionalOf(schema)
  if (additional !== undefined && !isEmbedded(schema)) {
    return new JsonMap(value, (member) => adaptValue(additional === true ? undefined : additional, member))
  }
  return new PropertyMap(value, (member, key) => adaptValue(schema.properties?.[key], member))
}

/** An object with properties: names that are no identifiers are escaped in expressions. */
class PropertyMap extends JsonMap {
  override get(key: CelValue): CelValue | undefined {
    return super.get(typeof key === 'string' ? unescapeName(key) : key)
  }
}
