import type { MapNode, SchemaNode } from '../../schema/node.ts'
import { isPlainObject } from '../../schema/own-member.ts'

/** How the schema's nodes apply to values: what is atomic, what a member's type is. */

export type JsonObject = Readonly<Record<string, unknown>>

/** The type of a member of a struct or map; undefined for a field that the schema does not know. */
export function memberNode(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  if (node?.shape === 'map') return node.value
  if (node?.shape !== 'object') return undefined
  return node.fields.get(key)?.node ?? (node.custom?.preserves === true ? freeForm : undefined)
}

/** What custom resources keep though their schema says nothing of it: maps can be owned member by member. */
export const freeForm: SchemaNode = { shape: 'raw', objectOnly: false, custom: { nullable: true, preserves: true } }
const freeFormMap: MapNode = { shape: 'map', value: freeForm, atomic: false }

/**
 * The node as it applies to these values: free-form objects are maps, and what does not have the shape of its node,
 * as a custom resource may before it is validated, is owned as a whole.
 */
export function nodeFor(node: SchemaNode | undefined, ...values: readonly unknown[]): SchemaNode | undefined {
  if (node?.custom === undefined || node.shape === 'scalar') return node
  const present = values.filter((value) => !isAbsent(value))
  if (node.shape === 'list') return present.every(Array.isArray) ? node : undefined
  if (!present.every(isPlainObject)) return undefined
  return node.shape === 'raw' && present.length > 0 ? freeFormMap : node
}

export function isAtomic(node: SchemaNode | undefined): boolean {
  if (node === undefined || node.shape === 'scalar' || node.shape === 'raw') return true
  return node.shape === 'list' ? node.listType === 'atomic' : node.atomic
}

export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

export function isEmptyOrAbsent(value: unknown): boolean {
  if (isAbsent(value)) return true
  return Array.isArray(value) ? value.length === 0 : Object.keys(value as object).length === 0
}

export function ownMember(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
