import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ColumnRow, OptionalResourceRow, ResourceRow, SchemaType } from './shapes.ts'

/** The facts about Kubernetes v1.36 that stand beside this file, read on first use and never changed. */
export interface SchemaFacts {
  readonly types: Readonly<Record<string, SchemaType>>
  readonly groups: readonly GroupRow[]
  readonly resources: readonly ResourceRow[]
  readonly columns: Readonly<Record<string, readonly ColumnRow[]>>
}

/** A named API group in discovery order. The core group is not among them. */
export interface GroupRow {
  readonly name: string
  readonly versions: readonly string[]
  readonly preferred: string
}

function readFacts<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as T
}

/** Computes a value on first use. For facts that never change, so that importing a module costs nothing. */
export function once<T>(compute: () => T): () => T {
  let computed: { readonly value: T } | undefined
  return () => (computed ??= { value: compute() }).value
}

/** A message that exists only on the protobuf wire: its fields by JSON name, or what they are called there. */
export type WireOnlyType = Readonly<Record<string, { readonly number: number; readonly wire: string }>>

const typeFacts = once(() =>
  readFacts<{ types: SchemaFacts['types']; protoOnly: Readonly<Record<string, WireOnlyType>> }>('types.json'),
)

/** The APIs that a server serves only when it is asked to (`--runtime-config`). */
const optionalFacts = once(() =>
  readFacts<{
    types: SchemaFacts['types']
    resources: readonly OptionalResourceRow[]
    columns: SchemaFacts['columns']
  }>('optional.json'),
)

/** The types of all that can be served, whether it is or not. */
export const schemaTypes: () => SchemaFacts['types'] = once(() => ({ ...typeFacts().types, ...optionalFacts().types }))
export const wireOnlyTypes = (): Readonly<Record<string, WireOnlyType>> => typeFacts().protoOnly

const resourceFacts = once(() =>
  readFacts<{ groupsInOrder: SchemaFacts['groups']; resources: SchemaFacts['resources'] }>('resources.json'),
)

/** What a server serves beyond `schemaResources` when it is asked to. */
export const optionalResources = (): readonly OptionalResourceRow[] => optionalFacts().resources
export const schemaGroups = (): SchemaFacts['groups'] => resourceFacts().groupsInOrder
export const schemaResources = (): SchemaFacts['resources'] => resourceFacts().resources
export const schemaColumns: () => SchemaFacts['columns'] = once(() => ({
  ...readFacts<SchemaFacts['columns']>('columns.json'),
  ...optionalFacts().columns,
}))
