import { once } from '../../schema/load.ts'
import { schemaNode, type CustomNode, type FieldNode, type ObjectNode, type SchemaNode } from '../../schema/node.ts'
import { additionalOf, isEmbedded, isIntOrString, itemsOf, preservesUnknown, type Schema } from './schema.ts'

const metadataType = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** The type of the objects of one version of a custom resource, made from its structural schema on first use. */
export function customResourceNode(name: string, schema: Schema | undefined): ObjectNode {
  return new SchemaObject(name, schema ?? { 'x-kubernetes-preserve-unknown-fields': true }, true)
}

class SchemaObject implements ObjectNode {
  readonly shape = 'object'
  readonly name: string
  readonly atomic: boolean
  readonly custom: CustomNode
  readonly #fields: () => ReadonlyMap<string, FieldNode>

  constructor(name: string, schema: Schema, isResource: boolean) {
    this.name = name
    this.atomic = schema['x-kubernetes-map-type'] === 'atomic'
    this.custom = marksOf(schema)
    this.#fields = once(() => fieldsOf(name, schema, isResource))
  }

  get fields(): ReadonlyMap<string, FieldNode> {
    return this.#fields()
  }
}

function fieldsOf(name: string, schema: Schema, isResource: boolean): ReadonlyMap<string, FieldNode> {
  const fields = new Map<string, FieldNode>()
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    fields.set(key, field(key, nodeOf(`${name}.${key}`, property), property.default))
  }
  if (!isResource) return fields
  for (const key of ['apiVersion', 'kind']) fields.set(key, field(key, { shape: 'scalar', kind: 'string' }, undefined))
  fields.set('metadata', field('metadata', schemaNode(metadataType), undefined))
  return fields
}

function field(name: string, node: SchemaNode, value: unknown): FieldNode {
  return {
    name,
    node,
    required: false,
    alwaysWritten: false,
    default: value,
    enum: undefined,
    patchStrategy: '',
    patchMergeKey: undefined,
    zeroMeansAbsent: false,
  }
}

function marksOf(schema: Schema): CustomNode {
  return { nullable: schema.nullable === true, preserves: preservesUnknown(schema) }
}

function nodeOf(name: string, schema: Schema): SchemaNode {
  const custom = marksOf(schema)
  if (isEmbedded(schema)) return new SchemaObject(name, schema, true)
  if (isIntOrString(schema)) return { shape: 'scalar', kind: 'intOrString', custom }
  switch (schema.type) {
    case 'object':
      return objectNode(name, schema, custom)
    case 'array':
      return listNode(name, schema, custom)
    case 'string':
      return { shape: 'scalar', kind: 'string', custom }
    case 'boolean':
      return { shape: 'scalar', kind: 'boolean', custom }
    case 'integer':
      return { shape: 'scalar', kind: 'int64', custom }
    case 'number':
      return { shape: 'scalar', kind: 'double', custom }
    default:
      return { shape: 'raw', objectOnly: false, custom }
  }
}

function objectNode(name: string, schema: Schema, custom: CustomNode): SchemaNode {
  const additional = additionalOf(schema)
  const atomic = schema['x-kubernetes-map-type'] === 'atomic'
  if (additional !== undefined) {
    const value: SchemaNode =
      additional === true
        ? { shape: 'raw', objectOnly: false, custom: { nullable: true, preserves: true } }
        : nodeOf(name, additional)
    return { shape: 'map', value, atomic, custom }
  }
  if (custom.preserves && schema.properties === undefined && !atomic) return { shape: 'raw', objectOnly: true, custom }
  return new SchemaObject(name, schema, false)
}

function listNode(name: string, schema: Schema, custom: CustomNode): SchemaNode {
  const listType = schema['x-kubernetes-list-type']
  const items = itemsOf(schema)
  return {
    shape: 'list',
    item:
      items === undefined
        ? { shape: 'raw', objectOnly: false, custom: { nullable: true, preserves: true } }
        : nodeOf(name, items),
    listType: listType === 'set' || listType === 'map' ? listType : 'atomic',
    keys: schema['x-kubernetes-list-map-keys'] ?? [],
    custom,
  }
}
