import { once, schemaTypes } from './load.ts'
import { alwaysWritten, zeroMeansAbsent } from './presence.ts'
import type { SchemaField, SchemaType } from './shapes.ts'

/**
 * The schema as a graph to walk: what decoding, defaults, validation, patches and apply are driven by. Nodes are made
 * on first use and shared; the children of an object node are resolved when first asked for, as types refer in circles.
 */
export type SchemaNode = ScalarNode | ObjectNode | ListNode | MapNode | RawNode

export type ScalarKind =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bytes'
  | 'quantity'
  | 'time'
  | 'microTime'
  | 'intOrString'

/**
 * Marks a node of a custom resource's type (structural schema). Values are kept as they were sent, also those of a wrong
 * type: validation refuses them, in the words of the schema's author. Only unknown members and nulls are dropped.
 */
export interface CustomNode {
  /** A null is a value of its own, and stays. */
  readonly nullable: boolean
  /** Members that the schema does not name stay (`x-kubernetes-preserve-unknown-fields`). */
  readonly preserves: boolean
}

export interface ScalarNode {
  readonly shape: 'scalar'
  readonly kind: ScalarKind
  readonly custom?: CustomNode
}

export interface ObjectNode {
  readonly shape: 'object'
  /** The type's full name in `types.json`. */
  readonly name: string
  /** An atomic object is replaced as a whole by server-side apply. */
  readonly atomic: boolean
  readonly fields: ReadonlyMap<string, FieldNode>
  readonly custom?: CustomNode
}

export interface FieldNode {
  readonly name: string
  readonly node: SchemaNode
  readonly required: boolean
  readonly default: unknown
  readonly enum: readonly string[] | undefined
  /** Of strategic merge patches: `merge`, `retainKeys`, `replace`, joined by commas. */
  readonly patchStrategy: string
  readonly patchMergeKey: string | undefined
  /** The zero of this optional scalar says no more than its absence, so that it is left out. */
  readonly zeroMeansAbsent: boolean
  /** Written even when it is empty: a list or map that is new owns no field of its own. */
  readonly alwaysWritten: boolean
}

export interface ListNode {
  readonly shape: 'list'
  readonly item: SchemaNode
  readonly listType: 'atomic' | 'map' | 'set'
  /** The fields that tell items of a `map` list apart. */
  readonly keys: readonly string[]
  readonly custom?: CustomNode
}

export interface MapNode {
  readonly shape: 'map'
  readonly value: SchemaNode
  readonly atomic: boolean
  readonly custom?: CustomNode
}

/** Any JSON, or any JSON object: embedded objects and free-form values. */
export interface RawNode {
  readonly shape: 'raw'
  readonly objectOnly: boolean
  /** Of custom resources: objects are maps whose members can be owned one by one. */
  readonly custom?: CustomNode
}

const scalarNodes: Readonly<Record<ScalarKind, ScalarNode>> = Object.fromEntries(
  (
    ['string', 'boolean', 'int32', 'int64', 'double', 'bytes', 'quantity', 'time', 'microTime', 'intOrString'] as const
  ).map((kind) => [kind, { shape: 'scalar', kind }]),
) as Record<ScalarKind, ScalarNode>

const rawAny: RawNode = { shape: 'raw', objectOnly: false }
const rawObject: RawNode = { shape: 'raw', objectOnly: true }

const specialScalars: Readonly<Record<string, ScalarKind>> = {
  Quantity: 'quantity',
  Time: 'time',
  MicroTime: 'microTime',
  IntOrString: 'intOrString',
}

const namedNodes = new Map<string, SchemaNode>()

/** The node of a type of `types.json`. Throws RangeError for a name that is none. */
export function schemaNode(name: string): SchemaNode {
  const known = namedNodes.get(name)
  if (known) return known
  const type = Object.hasOwn(schemaTypes(), name) ? schemaTypes()[name] : undefined
  if (type === undefined) throw new RangeError(`No schema type is called ${name}`)
  const node = typeNode(name, type)
  namedNodes.set(name, node)
  return node
}

function typeNode(name: string, type: SchemaType): SchemaNode {
  const special = specialScalars[name.slice(name.lastIndexOf('.') + 1)]
  if (special !== undefined && type.fields === undefined) return scalarNodes[special]
  if (type.fields === undefined) return type.type === 'object' ? rawObject : rawAny
  return new LazyObject(name, type)
}

class LazyObject implements ObjectNode {
  readonly shape = 'object'
  readonly name: string
  readonly atomic: boolean
  readonly #fields: () => ReadonlyMap<string, FieldNode>

  constructor(name: string, type: SchemaType) {
    this.name = name
    this.atomic = type.mapType === 'atomic'
    this.#fields = once(
      () => new Map(Object.entries(type.fields ?? {}).map(([key, field]) => [key, fieldNode(name, key, field)])),
    )
  }

  get fields(): ReadonlyMap<string, FieldNode> {
    return this.#fields()
  }
}

function fieldNode(typeName: string, name: string, field: SchemaField): FieldNode {
  const node = nodeOf(field)
  return {
    name,
    node,
    required: field.required === true,
    default: field.default,
    enum: field.enum,
    patchStrategy: field.patchStrategy ?? '',
    patchMergeKey: field.patchMergeKey,
    zeroMeansAbsent: field.required !== true && isPlainScalar(typeName, name, node),
    alwaysWritten: alwaysWritten(typeName.slice(typeName.lastIndexOf('.') + 1), name, field.required === true),
  }
}

function isPlainScalar(typeName: string, name: string, node: SchemaNode): boolean {
  if (node.shape !== 'scalar') return false
  const isText = node.kind === 'string' || node.kind === 'bytes'
  const isNumber = node.kind === 'int32' || node.kind === 'int64' || node.kind === 'boolean'
  return (
    (isText || isNumber) &&
    zeroMeansAbsent(typeName.slice(typeName.lastIndexOf('.') + 1), name, isText ? 'string' : node.kind)
  )
}

function nodeOf(field: SchemaField): SchemaNode {
  if (field.array) {
    return {
      shape: 'list',
      item: nodeOf(field.array),
      listType: field.listType ?? 'atomic',
      keys: field.listMapKeys ?? [],
    }
  }
  if (field.map) return { shape: 'map', value: nodeOf(field.map), atomic: field.mapType === 'atomic' }
  if (field.ref === undefined) return scalarOrRaw(field)
  const node = schemaNode(field.ref)
  return node.shape === 'object' && field.mapType === 'atomic' ? new AtomicObject(node) : node
}

/** The same type, used where the field says that it is replaced as a whole. */
class AtomicObject implements ObjectNode {
  readonly shape = 'object'
  readonly atomic = true
  readonly #base: ObjectNode

  constructor(base: ObjectNode) {
    this.#base = base
  }

  get name(): string {
    return this.#base.name
  }

  get fields(): ReadonlyMap<string, FieldNode> {
    return this.#base.fields
  }
}

function scalarOrRaw(field: SchemaField): SchemaNode {
  switch (field.type) {
    case 'string':
      return scalarNodes[field.format === 'byte' ? 'bytes' : 'string']
    case 'boolean':
      return scalarNodes.boolean
    case 'integer':
      return scalarNodes[field.format === 'int32' ? 'int32' : 'int64']
    case 'number':
      return scalarNodes.double
    default:
      return field.type === 'object' ? rawObject : rawAny
  }
}

const typesByKind = once(() => {
  const index = new Map<string, string>()
  for (const [name, type] of Object.entries(schemaTypes())) for (const gvk of type.gvk ?? []) index.set(gvk, name)
  return index
})

/** The object node of a kind such as `apps`, `v1`, `Deployment`; undefined if no such kind is built in. */
export function kindNode(group: string, version: string, kind: string): ObjectNode | undefined {
  const name = typesByKind().get(group === '' ? `${version}/${kind}` : `${group}/${version}/${kind}`)
  const node = name === undefined ? undefined : schemaNode(name)
  return node?.shape === 'object' ? node : undefined
}
