import type { ObjectNode, SchemaNode } from './node.ts'
import { ScalarMismatch, scalarReaders } from './scalars.ts'

/**
 * The slow walk: run over a value that `decoder.ts` stumbled over, to say what is wrong and where, in the words of the
 * API server.
 */
export interface Diagnosis {
  /** Paths of members the schema does not know, in the order of the document. */
  readonly unknownFields: readonly string[]
  /** The first value of a wrong type, if there is one. */
  readonly error: string | undefined
}

/** As many problems as a strict answer lists; the rest is left out. */
export const maxProblems = 100

interface Place {
  /** With list positions, as in `spec.containers[0].name`. */
  readonly path: string
  /** Innermost struct and the fields on the way from the root, as decoding errors name them. */
  readonly struct: string
  readonly fields: string
}

class WrongType extends Error {}

/** Says what is wrong with `value`, which stands for a whole object of the type. */
export function diagnose(node: SchemaNode, value: unknown): Diagnosis {
  const unknownFields: string[] = []
  try {
    walk(node, value, { path: '', struct: '', fields: '' }, unknownFields)
    return { unknownFields, error: undefined }
  } catch (error) {
    if (error instanceof RangeError) return { unknownFields, error: 'json: exceeded max depth' }
    return { unknownFields, error: (error as Error).message }
  }
}

function walk(node: SchemaNode, value: unknown, place: Place, unknownFields: string[]): void {
  if (value === null || value === undefined || !isWalkable(node, value)) return
  switch (node.shape) {
    case 'scalar':
      return checkScalar(node.kind, value, () => wrongType(node, value, place))
    case 'raw':
      if (node.objectOnly && jsonType(value) !== 'object') throw wrongType(node, value, place)
      return
    case 'list':
      if (!Array.isArray(value)) throw wrongType(node, value, place)
      return value.forEach((item, index) => {
        walk(node.item, item, { ...place, path: `${place.path}[${index}]` }, unknownFields)
      })
    case 'map':
      for (const [key, member] of membersOf(node, value, place)) {
        walk(node.value, member, { ...place, path: joined(place.path, key) }, unknownFields)
      }
      return
    case 'object':
      walkObject(node, value, place, unknownFields)
  }
}

/** Custom resources take values of any type here; a value of another shape than its node has nothing below it. */
function isWalkable(node: SchemaNode, value: unknown): boolean {
  if (node.custom === undefined) return true
  if (node.shape === 'list') return Array.isArray(value)
  return (node.shape === 'object' || node.shape === 'map') && jsonType(value) === 'object'
}

function walkObject(node: ObjectNode, value: unknown, place: Place, unknownFields: string[]): void {
  for (const [key, member] of membersOf(node, value, place)) {
    const field = node.fields.get(key)
    const path = joined(place.path, key)
    // The metadata of a custom resource is read by itself: errors name fields as seen from there.
    if (field && node.custom) walk(field.node, member, { path, struct: '', fields: '' }, unknownFields)
    else if (node.custom?.preserves === true) continue
    else if (field)
      walk(field.node, member, { path, struct: shortName(node.name), fields: joined(place.fields, key) }, unknownFields)
    else if (unknownFields.length < maxProblems) unknownFields.push(path)
  }
}

function membersOf(node: SchemaNode, value: unknown, place: Place): [string, unknown][] {
  if (jsonType(value) !== 'object') throw wrongType(node, value, place)
  return Object.entries(value as object)
}

function checkScalar(kind: keyof typeof scalarReaders, value: unknown, complaint: () => Error): void {
  try {
    scalarReaders[kind](value)
  } catch (error) {
    throw error instanceof ScalarMismatch ? complaint() : error
  }
}

function wrongType(node: SchemaNode, value: unknown, place: Place): WrongType {
  const found = typeof value === 'number' && takesNumbers(node) ? `number ${value}` : jsonType(value)
  const target = place.struct === '' ? 'value' : `struct field ${place.struct}.${place.fields}`
  return new WrongType(`json: cannot unmarshal ${found} into Go ${target} of type ${goType(node)}`)
}

function takesNumbers(node: SchemaNode): boolean {
  return node.shape === 'scalar' && (node.kind === 'int32' || node.kind === 'int64')
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function shortName(typeName: string): string {
  return typeName.slice(typeName.lastIndexOf('.') + 1)
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

const goScalars: Readonly<Record<string, string>> = {
  boolean: 'bool',
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  intOrString: 'intstr.IntOrString',
}

/** The name under which decoding errors speak of a type; API users know these names from upstream. */
function goType(node: SchemaNode): string {
  switch (node.shape) {
    case 'scalar':
      return goScalars[node.kind] ?? node.kind
    case 'list':
      return `[]${goType(node.item)}`
    case 'map':
      return `map[string]${goType(node.value)}`
    case 'object':
      return node.name.split('.').slice(-2).join('.')
    case 'raw':
      return 'map[string]interface {}'
  }
}
