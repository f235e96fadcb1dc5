import { at, child, notSupported, required } from '../meta/field-errors.ts'
import type { FieldError } from '../meta/status.ts'
import type { FieldNode, ObjectNode, SchemaNode } from './node.ts'

/**
 * What the schema alone can say about an object whose kind has no validation of its own: required fields are there and
 * not empty, enums hold one of their values. Metadata has its own rules, and `status` is written by who knows.
 */
export function validateBySchema(node: ObjectNode, object: object): FieldError[] {
  const errors: FieldError[] = []
  for (const field of node.fields.values()) {
    if (field.name !== 'metadata' && field.name !== 'status') checkField(field, object, '', errors)
  }
  return errors
}

function checkField(field: FieldNode, holder: object, holderPath: string, errors: FieldError[]): void {
  const value = (holder as Readonly<Record<string, unknown>>)[field.name]
  const path = child(holderPath, field.name)
  if (value === undefined || value === '') {
    if (field.required && holderPath + field.name !== 'apiVersion' && field.name !== 'kind') errors.push(required(path))
    return
  }
  if (field.enum && typeof value === 'string' && !field.enum.includes(value)) {
    errors.push(notSupported(path, value, field.enum.toSorted()))
  }
  checkValue(field.node, value, path, errors)
}

function checkValue(node: SchemaNode, value: unknown, path: string, errors: FieldError[]): void {
  if (typeof value !== 'object' || value === null) return
  if (node.shape === 'object') {
    for (const field of node.fields.values()) checkField(field, value, path, errors)
  } else if (node.shape === 'list') {
    for (const [index, item] of (value as readonly unknown[]).entries())
      checkValue(node.item, item, at(path, index), errors)
  } else if (node.shape === 'map') {
    for (const [key, member] of Object.entries(value)) checkValue(node.value, member, at(path, key), errors)
  }
}
