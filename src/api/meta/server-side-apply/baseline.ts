import type { ObjectNode, SchemaNode } from '../../schema/node.ts'
import { setOfPaths, type FieldSet } from './field-set.ts'

/**
 * What a new object is compared with: the structs and lists that every object of the type has, so that nobody owns
 * `.spec` for creating an object, but its creator owns each field inside.
 */
export function baselineOf(node: ObjectNode): Readonly<Record<string, unknown>> {
  const known = baselines.get(node)
  if (known !== undefined) return known
  const baseline = makeBaseline(node)
  baselines.set(node, baseline)
  return baseline
}

/** Facts about a type, worked out once. */
const baselines = new WeakMap<ObjectNode, Readonly<Record<string, unknown>>>()

function makeBaseline(node: ObjectNode): Record<string, unknown> {
  const baseline: Record<string, unknown> = {}
  if (node.custom !== undefined) return baseline
  for (const field of node.fields.values()) {
    const isStruct = field.node.shape === 'object' && field.default !== undefined
    if (isStruct && !isInside(node, field.node)) baseline[field.name] = makeBaseline(field.node as ObjectNode)
    else if (field.alwaysWritten) baseline[field.name] = zeroOf(field.node)
  }
  return baseline
}

/** A type that contains itself cannot hold itself by value. */
function isInside(node: SchemaNode, inner: SchemaNode): boolean {
  return node === inner
}

function zeroOf(node: SchemaNode): unknown {
  if (node.shape !== 'scalar') return null
  if (node.kind === 'boolean') return false
  return node.kind === 'int32' || node.kind === 'int64' || node.kind === 'double' ? 0 : ''
}

const metadataByServer = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
]

/** Fields that belong to nobody: identity and what the server itself keeps. */
export const unownedFields: FieldSet = setOfPaths([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...metadataByServer.map((name) => ['f:metadata', `f:${name}`]),
])

/**
 * Fields that a write to this endpoint leaves as they are: `status` for the object itself, everything else for
 * `/status`; and the record of managers, which nobody manages.
 */
export function ignoredFields(node: ObjectNode, subresource: string, hasStatusSubresource: boolean): FieldSet {
  const names = subresource === 'status' ? othersThanStatus(node) : []
  if (hasStatusSubresource && subresource === '') names.push('status')
  return setOfPaths([['f:metadata', 'f:managedFields'], ...names.map((name) => [`f:${name}`])])
}

function othersThanStatus(node: ObjectNode): string[] {
  return [...node.fields.keys()].filter((name) => !['apiVersion', 'kind', 'metadata', 'status'].includes(name))
}
