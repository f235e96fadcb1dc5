import type { FieldError } from './status.ts'

/** Builders of `FieldError`s with the words of Kubernetes, and of the field paths they carry. */

/** `parent.name`, or `name` at the top. */
export function child(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`
}

/** `parent[index]` for a list position, `parent[key]` for the key of a map. */
export function at(parent: string, indexOrKey: number | string): string {
  return `${parent}[${indexOrKey}]`
}

/** A value as it stands in messages: strings quoted, numbers and booleans bare, the rest as JSON that is safe in HTML. */
export function quoteValue(value: unknown): string {
  if (value === undefined) return 'null'
  return typeof value === 'object' ? escapeMarkup(JSON.stringify(value)) : JSON.stringify(value)
}

/** JSON that is safe inside a page, as the API writes objects into messages. */
export function escapeMarkup(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function withDetail(head: string, detail: string): string {
  return detail === '' ? head : `${head}: ${detail}`
}

export function required(field: string, detail: string = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: withDetail('Required value', detail) }
}

export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: withDetail(`Invalid value: ${quoteValue(value)}`, detail) }
}

/** For values that are too large, or too internal, to be told. */
export function invalidWithoutValue(field: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: withDetail('Invalid value', detail) }
}

/** `supported` keeps its order; sort it where the API lists a set. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.length === 0 ? '' : `supported values: ${supported.map(quoteValue).join(', ')}`
  return { type: 'FieldValueNotSupported', field, message: withDetail(`Unsupported value: ${quoteValue(value)}`, list) }
}

export function duplicate(field: string, value: unknown, detail: string = ''): FieldError {
  return { type: 'FieldValueDuplicate', field, message: withDetail(`Duplicate value: ${quoteValue(value)}`, detail) }
}

export function forbiddenField(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: withDetail('Forbidden', detail) }
}

/** The limit is in bytes of UTF-8; below 0 the message names no limit. */
export function tooLong(field: string, maxBytes: number): FieldError {
  const detail = maxBytes >= 0 ? `may not be more than ${maxBytes} bytes` : 'value is too long'
  return { type: 'FieldValueTooLong', field, message: `Too long: ${detail}` }
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  const items = max === 1 ? 'item' : 'items'
  const detail = max >= 0 ? `must have at most ${max} ${items}` : 'has too many items'
  return { type: 'FieldValueTooMany', field, message: `Too many: ${actual}: ${detail}` }
}

export function notFoundValue(field: string, value: unknown, detail: string = ''): FieldError {
  return { type: 'FieldValueNotFound', field, message: withDetail(`Not found: ${quoteValue(value)}`, detail) }
}

export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, message: withDetail(`Invalid value: ${quoteValue(value)}`, detail) }
}

export const immutableField = 'field is immutable'

/** One error per message of a name rule. */
export function invalidForEach(field: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalidValue(field, value, message))
}
