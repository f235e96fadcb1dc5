import type { JSONSchemaProps } from '../../types/apiextensions.v1.ts'

/** A schema as a CRD writes it. Parts of any schema may be missing; nested ones are as the client sent them. */
export type Schema = JSONSchemaProps

/** The schema of the items of a list; a list of schemas (tuples) is refused by validation and counts as none. */
export function itemsOf({ items }: Schema): Schema | undefined {
  return isSchema(items) ? items : undefined
}

/** The schema of members without a name of their own. `true` means: any. */
export function additionalOf({ additionalProperties }: Schema): Schema | true | undefined {
  if (additionalProperties === true) return true
  return isSchema(additionalProperties) ? additionalProperties : undefined
}

export function isIntOrString(schema: Schema): boolean {
  return schema['x-kubernetes-int-or-string'] === true
}

export function preservesUnknown(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true
}

export function isEmbedded(schema: Schema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
