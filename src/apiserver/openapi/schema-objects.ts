import type { SchemaField, SchemaType } from '#api/schema/shapes.ts'

type Json = Record<string, unknown>

/** One type of the facts as an OpenAPI schema object; references go to `refPrefix` + name. */
export function schemaObject(
  type: SchemaType,
  refPrefix: string,
  description: (field: string) => string | undefined,
): Json {
  const kinds = (type.gvk ?? []).map(groupVersionKind)
  const extensions = kinds.length > 0 ? { 'x-kubernetes-group-version-kind': kinds } : {}
  const own = description('')
  const about = own === undefined ? {} : { description: own }
  if (type.fields === undefined) return { ...about, ...scalarType(type), ...extensions }
  const required = Object.entries(type.fields)
    .filter(([, field]) => field.required === true)
    .map(([name]) => name)
  const properties = Object.entries(type.fields).map(([name, field]) => [
    name,
    fieldObject(field, refPrefix, description(name)),
  ])
  return {
    ...about,
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(properties) as Json,
    ...(type.mapType !== undefined && { 'x-kubernetes-map-type': type.mapType }),
    ...extensions,
  }
}

/** `apps/v1/Deployment` or `v1/Pod` in three parts. */
function groupVersionKind(text: string): Json {
  const parts = text.split('/')
  const [kind = '', version = '', group = ''] = parts.toReversed()
  return { group, kind, version }
}

function scalarType({ type, oneOf, format }: SchemaType): Json {
  if (oneOf !== undefined) return { oneOf: oneOf.map((each) => ({ type: each })), ...(format && { format }) }
  return { ...(type && type !== 'any' && { type }), ...(format && { format }) }
}

function fieldObject(field: SchemaField, refPrefix: string, description?: string): Json {
  const shape = elementObject(field, refPrefix)
  return {
    ...(description !== undefined && { description }),
    ...wrapReference(shape, field, description),
    ...(field.default !== undefined && { default: field.default }),
    ...(field.enum !== undefined && { enum: field.enum }),
    ...(field.listType !== undefined && { 'x-kubernetes-list-type': field.listType }),
    ...(field.listMapKeys !== undefined && { 'x-kubernetes-list-map-keys': field.listMapKeys }),
    ...(field.mapType !== undefined && { 'x-kubernetes-map-type': field.mapType }),
    ...(field.patchMergeKey !== undefined && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
    ...(field.patchStrategy !== undefined && { 'x-kubernetes-patch-strategy': field.patchStrategy }),
  }
}

/** A bare `$ref` may have no members beside it. */
function wrapReference(shape: Json, field: SchemaField, description: string | undefined): Json {
  const isBare = field.default === undefined && description === undefined
  return shape['$ref'] === undefined || isBare ? shape : { allOf: [shape] }
}

function elementObject(field: SchemaField, refPrefix: string): Json {
  if (field.ref !== undefined) return { $ref: refPrefix + field.ref }
  if (field.array !== undefined) return { type: 'array', items: fieldObject(field.array, refPrefix) }
  if (field.map !== undefined) return { type: 'object', additionalProperties: fieldObject(field.map, refPrefix) }
  return { ...(field.type && { type: field.type }), ...(field.format && { format: field.format }) }
}

/** Names of the types that a type refers to. */
export function referencesOf(type: SchemaType): string[] {
  return Object.values(type.fields ?? {}).flatMap(fieldReferences)
}

function fieldReferences(field: SchemaField): string[] {
  if (field.ref !== undefined) return [field.ref]
  if (field.array !== undefined) return fieldReferences(field.array)
  return field.map === undefined ? [] : fieldReferences(field.map)
}
