import { compilePattern } from '#lib/pattern.ts'
import { duplicate, notSupported, required, tooLong, tooMany, typeInvalid } from '../../meta/field-errors.ts'
import { isSameJson } from '../../meta/merge-patch.ts'
import { byteLengthOf } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { isPlainObject } from '../../schema/own-member.ts'
import { hasFormat } from './formats.ts'
import { goNumber } from './go-number.ts'
import { additionalOf, isIntOrString, itemsOf, type Schema } from './schema.ts'

/** What is wrong with a value by its schema, in the words of the API server. `old` is the value before, at an update. */
export function validateValue(schema: Schema, value: unknown, path: string, old?: unknown): FieldError[] {
  // What an update leaves as it was may stay wrong: schemas get stricter after objects were stored (KEP-4008).
  if (old !== undefined && isSameJson(value, old)) return []
  if (value === null && schema.nullable === true) return []
  const errors = [...checkType(schema, value, path), ...checkLogic(schema, value, path)]
  if (typeof value === 'string') errors.push(...checkString(schema, value, path))
  else if (typeof value === 'number') errors.push(...checkNumber(schema, value, path))
  else if (Array.isArray(value)) errors.push(...checkList(schema, value, path, old))
  if (schema.enum !== undefined && value !== null && !schema.enum.some((allowed) => isSameJson(allowed, value))) {
    errors.push(notSupported(path, value, schema.enum as string[]))
  }
  if (isPlainObject(value)) errors.push(...checkObject(schema, value, path, old))
  return errors
}

/** JSON's own name of a value's type; integers are told apart from other numbers. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function checkType(schema: Schema, value: unknown, path: string): FieldError[] {
  const wanted = isIntOrString(schema) ? ['integer', 'string'] : schema.type ? [schema.type] : []
  const found = typeName(value)
  if (wanted.length === 0 && found !== 'null') return []
  if (wanted.length === 0 || wanted.includes(found) || (found === 'integer' && wanted.includes('number'))) return []
  return [typeInvalid(path, found, `${path} in body must be of type ${wanted.join(',')}: ${JSON.stringify(found)}`)]
}

/** An error that names no field: those of combined schemas and of numbers beyond their type. */
function nowhere(message: string): FieldError {
  return { type: 'FieldValueInvalid', field: '<nil>', message: `Invalid value: "": ${message}` }
}

function invalid(path: string, value: unknown, message: string): FieldError {
  const shown = typeof value === 'number' ? goNumber(value) : JSON.stringify(value)
  const isScalar = typeof value !== 'object'
  const text = isScalar ? `Invalid value: ${shown}: ${message}` : `Invalid value: ${message}`
  return { type: 'FieldValueInvalid', field: path, message: text }
}

function checkLogic(schema: Schema, value: unknown, path: string): FieldError[] {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema
  const errors: FieldError[] = []
  const quoted = JSON.stringify(path)
  if (anyOf.length > 0) {
    const results = anyOf.map((each) => validateValue(each, value, path))
    if (!results.some((found) => found.length === 0)) {
      errors.push(nowhere(`${quoted} must validate at least one schema (anyOf)`), ...fewest(results))
    }
  }
  if (oneOf.length > 0) {
    const results = oneOf.map((each) => validateValue(each, value, path))
    const valid = results.filter((found) => found.length === 0).length
    const must = `${quoted} must validate one and only one schema (oneOf)`
    if (valid === 0) errors.push(nowhere(`${must}. Found none valid`), ...fewest(results))
    else if (valid > 1) errors.push(nowhere(`${must}. Found ${valid} valid alternatives`))
  }
  if (allOf.length > 0) {
    const results = allOf.map((each) => validateValue(each, value, path))
    const valid = results.filter((found) => found.length === 0).length
    if (valid < allOf.length) {
      const none = valid === 0 ? '. None validated' : ''
      errors.push(...results.flat(), nowhere(`${quoted} must validate all the schemas (allOf)${none}`))
    }
  }
  if (not !== undefined && validateValue(not, value, path).length === 0) {
    errors.push(nowhere(`${quoted} must not validate the schema (not)`))
  }
  return errors
}

function fewest(results: readonly FieldError[][]): FieldError[] {
  return results.reduce((best, found) => (found.length < best.length ? found : best))
}

function checkString(schema: Schema, value: string, path: string): FieldError[] {
  const { maxLength, minLength, pattern, format } = schema
  const errors: FieldError[] = []
  if (maxLength !== undefined && lengthOf(value, maxLength) > maxLength) errors.push(tooLong(path, maxLength))
  else if (minLength !== undefined && Array.from(value).length < minLength) {
    errors.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`))
  } else if (pattern !== undefined && pattern !== '' && !compilePattern(pattern).test(value)) {
    errors.push(invalid(path, value, `${path} in body should match '${pattern}'`))
  }
  if (format && !hasFormat(format, value)) {
    errors.push(typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`))
  }
  return errors
}

/** In characters; a text of fewer bytes than the limit cannot be too long. */
function lengthOf(text: string, limit: number): number {
  return byteLengthOf(text) <= limit ? 0 : Array.from(text).length
}

function checkNumber(schema: Schema, value: number, path: string): FieldError[] {
  const { type, format = '', multipleOf, maximum, minimum } = schema
  const inBody = `${path} in body should be`
  if (type === 'integer' && !Number.isInteger(value)) {
    return [nowhere(`Checked value must be of type integer (${format === '' ? 'default format' : format}) in ${path}`)]
  }
  if (format === 'int32' && (value > 2 ** 31 - 1 || value < -(2 ** 31))) {
    return [nowhere(`Checked value must be of type integer with format int32 in ${path}`)]
  }
  const errors: FieldError[] = []
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) {
    errors.push(invalid(path, value, `${inBody} a multiple of ${goNumber(multipleOf)}`))
  }
  if (maximum !== undefined) {
    const isAbove = schema.exclusiveMaximum === true ? value >= maximum : value > maximum
    const orEqual = schema.exclusiveMaximum === true ? '' : ' or equal to'
    if (isAbove) errors.push(invalid(path, value, `${inBody} less than${orEqual} ${goNumber(maximum)}`))
  }
  if (minimum !== undefined) {
    const isBelow = schema.exclusiveMinimum === true ? value <= minimum : value < minimum
    const orEqual = schema.exclusiveMinimum === true ? '' : ' or equal to'
    if (isBelow) errors.push(invalid(path, value, `${inBody} greater than${orEqual} ${goNumber(minimum)}`))
  }
  return errors
}

function checkList(schema: Schema, value: readonly unknown[], path: string, old: unknown): FieldError[] {
  const errors: FieldError[] = []
  const items = itemsOf(schema)
  if (items !== undefined) {
    const before = correlatedItems(schema, old)
    for (const [index, item] of value.entries()) {
      errors.push(...validateValue(items, item, `${path}[${index}]`, before?.(item)))
    }
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    errors.push(invalid(path, value, `${path} in body should have at least ${schema.minItems} items`))
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    errors.push(tooMany(path, value.length, schema.maxItems))
  }
  if (schema.uniqueItems === true) {
    const isRepeated = value.some((item, index) => value.findIndex((other) => isSameJson(other, item)) < index)
    if (isRepeated) errors.push(duplicate(path, value))
  }
  return errors
}

/** Finds the item of an old `map` list that has the same keys. */
export function correlatedItems(schema: Schema, old: unknown): ((item: unknown) => unknown) | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old)) return undefined
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const keyOf = (item: unknown): string =>
    JSON.stringify(keys.map((key) => (isPlainObject(item) ? (item[key] ?? null) : null)))
  const byKey = new Map(old.map((item: unknown) => [keyOf(item), item]))
  return (item) => byKey.get(keyOf(item))
}

function checkObject(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  path: string,
  old: unknown,
): FieldError[] {
  const errors: FieldError[] = []
  const size = Object.keys(value).length
  const { minProperties, maxProperties, properties = {} } = schema
  if (maxProperties !== undefined && size > maxProperties) errors.push(tooMany(path, size, maxProperties))
  if (minProperties !== undefined && size < minProperties) {
    errors.push(invalid(path, value, `${path} in body should have at least ${minProperties} properties`))
  }
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) errors.push(required(below(path, name)))
  const additional = additionalOf(schema)
  const before = isPlainObject(old) ? old : undefined
  for (const [key, member] of Object.entries(value)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : additional === true ? undefined : additional
    if (property === undefined) continue
    const oldMember = before !== undefined && Object.hasOwn(before, key) ? before[key] : undefined
    errors.push(...validateValue(property, member, below(path, key), oldMember))
  }
  return errors
}

function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}
