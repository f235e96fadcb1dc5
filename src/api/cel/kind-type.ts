import {
  boolType,
  bytesType,
  doubleType,
  dynType,
  intType,
  listOf,
  mapOf,
  stringType,
  timestampType,
  type ObjectType,
  type Type,
} from '#lib/cel/types.ts'
import { declaredType } from '../apiextensions/rules/declared-type.ts'
import { escapeName } from '../apiextensions/rules/field-names.ts'
import type { Schema } from '../apiextensions/structural/schema.ts'
import { schemaNode, type ObjectNode, type ScalarKind, type SchemaNode } from '../schema/node.ts'

const scalars: Readonly<Record<ScalarKind, Type>> = {
  string: stringType,
  boolean: boolType,
  int32: intType,
  int64: intType,
  double: doubleType,
  bytes: bytesType,
  quantity: stringType,
  time: timestampType,
  microTime: timestampType,
  intOrString: dynType,
}

/** The type that expressions see of the objects of a built-in kind. */
export function typeOfNode(node: SchemaNode): Type {
  switch (node.shape) {
    case 'scalar':
      return scalars[node.kind]
    case 'list':
      return listOf(typeOfNode(node.item))
    case 'map':
      return mapOf(stringType, typeOfNode(node.value))
    case 'object':
      return objectOf(node)
    case 'raw':
      return dynType
  }
}

function objectOf(node: ObjectNode): ObjectType {
  const known = new Map<string, Type | undefined>()
  return {
    kind: 'object',
    name: node.name,
    fields: {
      get(name) {
        if (!known.has(name)) {
          const field = [...node.fields.values()].find((each) => escapeName(each.name) === name)
          known.set(name, field && typeOfNode(field.node))
        }
        return known.get(name)
      },
    },
  }
}

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** The same of the objects that a schema describes. */
export function typeOfSchema(schema: Schema, name: string): Type | undefined {
  const type = declaredType(schema, name, true)
  if (type?.kind !== 'object' || type.fields === 'any') return type
  const { fields } = type
  const metadata = typeOfNode(schemaNode(objectMeta))
  return { ...type, fields: { get: (field) => (field === 'metadata' ? metadata : fields.get(field)) } }
}
