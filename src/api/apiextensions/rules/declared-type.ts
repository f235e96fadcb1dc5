import { listOf, mapOf, objectType, stringType, type SimpleName, type Type } from '#lib/cel/types.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, type Schema } from '../structural/schema.ts'
import { escapeName } from './field-names.ts'

/** What the largest request may hold, in bytes: it bounds what no schema bounds. */
const requestBytes = 3 * 1_024 * 1_024
/** The same without the two marks around a text, a list or an object. */
const contentBytes = requestBytes - 2
const bytesOfCharacter = 4
const timestampBytes = 32
const dateBytes = 10
const durationBytes = 32

/** The type that rules see of a value, or undefined where the schema says nothing that rules could use. */
export function declaredType(schema: Schema, name: string, isResource: boolean): Type | undefined {
  if (isIntOrString(schema)) return { kind: 'simple', name: 'dyn', maxElements: requestBytes }
  switch (schema.type) {
    case 'array':
      return listType(schema, name)
    case 'object':
      return additionalOf(schema) === undefined ? structType(schema, name, isResource) : mapType(schema, name)
    case 'string':
      return textType(schema)
    case 'boolean':
      return { kind: 'simple', name: 'bool' }
    case 'number':
      return { kind: 'simple', name: 'double' }
    case 'integer':
      return { kind: 'simple', name: 'int' }
    default:
      return undefined
  }
}

function listType(schema: Schema, name: string): Type | undefined {
  const items = itemsOf(schema)
  const item = items && declaredType(items, `${name}.@idx`, isEmbedded(items))
  if (items === undefined || item === undefined) return undefined
  return { ...listOf(item), maxElements: maxItemsOf(schema) }
}

function mapType(schema: Schema, name: string): Type | undefined {
  const additional = additionalOf(schema)
  if (additional === undefined || additional === true) return undefined
  const value = declaredType(additional, `${name}.@elem`, isEmbedded(additional))
  if (value === undefined) return undefined
  return { ...mapOf(stringType, value), maxElements: maxPropertiesOf(schema) }
}

/** How many items a list can have at most. */
function maxItemsOf(schema: Schema): number {
  const items = itemsOf(schema)
  return schema.maxItems ?? Math.floor(contentBytes / ((items === undefined ? 0 : leastBytes(items)) + 1))
}

/** How many members an object without names can have at most. */
function maxPropertiesOf(schema: Schema): number {
  const additional = additionalOf(schema)
  const least = additional === undefined || additional === true ? 0 : leastBytes(additional)
  // A member is two pairs of quotes or so, a colon and a comma beside its value.
  return schema.maxProperties ?? Math.floor(contentBytes / (least + 6))
}

function structType(schema: Schema, name: string, isResource: boolean): Type {
  const fields: Record<string, Type> = {}
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const type = declaredType(property, `${name}.${key}`, isEmbedded(property))
    const escaped = escapeName(key)
    if (type !== undefined && escaped !== undefined) fields[escaped] = type
  }
  if (!isResource) return objectType(name, fields)
  const unbounded: Type = { kind: 'simple', name: 'string', maxElements: contentBytes }
  const metadata = objectType(`${name}.metadata`, { name: unbounded, generateName: unbounded })
  return objectType(name, { ...fields, apiVersion: unbounded, kind: unbounded, metadata })
}

function textType(schema: Schema): Type {
  const text = (name: SimpleName, maxElements: number): Type => ({ kind: 'simple', name, maxElements })
  switch (schema.format) {
    case 'byte':
      return text('bytes', schema.maxLength ?? contentBytes)
    case 'duration':
      return text('duration', durationBytes)
    case 'date':
      return text('timestamp', dateBytes)
    case 'date-time':
      return text('timestamp', timestampBytes)
    default:
      return text('string', maxTextOf(schema))
  }
}

function maxTextOf({ maxLength, enum: choices }: Schema): number {
  if (maxLength !== undefined) return maxLength * bytesOfCharacter
  if (choices === undefined || choices.length === 0) return contentBytes
  return Math.max(...choices.map((choice) => (typeof choice === 'string' ? choice.length : 0)))
}

const leastByFormat: Readonly<Record<string, number>> = { duration: 3, date: 12, 'date-time': 21 }

/** How few bytes a value of the schema takes in JSON. */
export function leastBytes(schema: Schema): number {
  if (isIntOrString(schema)) return 1
  switch (schema.type) {
    case 'boolean':
      return 4
    case 'string':
      return leastByFormat[schema.format ?? ''] ?? 2
    case 'array':
      return 2
    case 'object': {
      const required = (schema.required ?? []).filter((name) => schema.properties?.[name]?.default === undefined)
      return required.reduce((sum, name) => {
        const property = schema.properties?.[name]
        return property === undefined ? sum : sum + name.length + leastBytes(property) + 4
      }, 2)
    }
    default:
      return 1
  }
}
