/**
 * What is known of a value before there is one. `maxElements` bounds the length of texts, lists and maps in what a schema
 * declares; absent, nothing bounds it.
 */
export type Type = SimpleType | ListType | MapType | ObjectType | TypeType | AbstractType | TypeParameter

export interface SimpleType {
  readonly kind: 'simple'
  readonly name: SimpleName
  readonly maxElements?: number
}

export type SimpleName =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'dyn'
  | 'error'

export interface ListType {
  readonly kind: 'list'
  readonly item: Type
  readonly maxElements?: number
}

export interface MapType {
  readonly kind: 'map'
  readonly key: Type
  readonly value: Type
  readonly maxElements?: number
  /** Whether the size of an entry is known too when it is selected like a field. */
  readonly sizesSelected?: boolean
}

/** A type with named fields. `any`: whatever is selected is there, and nothing is known of it. */
export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  readonly fields: FieldTypes | 'any'
}

/** Types of fields by name; they may be worked out when they are asked for, as types refer in circles. */
export interface FieldTypes {
  get(name: string): Type | undefined
}

export interface TypeType {
  readonly kind: 'type'
  readonly of: Type
}

/** A library's own type, such as `kubernetes.Quantity` or `optional_type(int)`. */
export interface AbstractType {
  readonly kind: 'abstract'
  readonly name: string
  readonly parameters: readonly Type[]
}

/** A type that a use of a function settles: the `A` of `list(A)`. */
export interface TypeParameter {
  readonly kind: 'parameter'
  readonly name: string
}

const simple = (name: SimpleName): SimpleType => ({ kind: 'simple', name })

export const boolType: Type = simple('bool')
export const intType: Type = simple('int')
export const stringType: Type = simple('string')
export const bytesType: Type = simple('bytes')
export const doubleType: Type = simple('double')
export const uintType: Type = simple('uint')
export const nullType: Type = simple('null')
export const timestampType: Type = simple('timestamp')
export const durationType: Type = simple('duration')
export const dynType: Type = simple('dyn')
/** What a part that is wrong has: nothing more is said about what is made of it. */
export const errorType: Type = simple('error')

export function listOf(item: Type): ListType {
  return { kind: 'list', item }
}

export function mapOf(key: Type, value: Type): MapType {
  return { kind: 'map', key, value }
}

export function abstractType(name: string, ...parameters: readonly Type[]): AbstractType {
  return { kind: 'abstract', name, parameters }
}

export function optionalOf(type: Type): AbstractType {
  return abstractType('optional_type', type)
}

export function objectType(name: string, fields: Readonly<Record<string, Type>> | 'any'): ObjectType {
  return { kind: 'object', name, fields: fields === 'any' ? fields : new Map(Object.entries(fields)) }
}

export function isSimple(type: Type, ...names: readonly SimpleName[]): boolean {
  return type.kind === 'simple' && names.includes(type.name)
}

export function isDynamic(type: Type): boolean {
  return isSimple(type, 'dyn', 'error')
}

/** The type inside an optional, or undefined for another type. */
export function insideOptional(type: Type): Type | undefined {
  return type.kind === 'abstract' && type.name === 'optional_type' ? type.parameters[0] : undefined
}

const fullNames: Readonly<Partial<Record<SimpleName, string>>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
}

/** A type by its full name, as messages about what an expression evaluates to give it. */
export function typeName(type: Type): string {
  return writeType(type, (name) => fullNames[name] ?? name)
}

/** A type as messages about calls show it. */
export function showType(type: Type): string {
  return writeType(type, (name) => (name === 'error' ? '!error!' : name))
}

function writeType(type: Type, nameOf: (name: SimpleName) => string): string {
  const write = (inner: Type): string => writeType(inner, nameOf)
  switch (type.kind) {
    case 'simple':
      return nameOf(type.name)
    case 'list':
      return `list(${write(type.item)})`
    case 'map':
      return `map(${write(type.key)}, ${write(type.value)})`
    case 'type':
      return `type(${write(type.of)})`
    case 'abstract':
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(write).join(', ')})`
    case 'object':
    case 'parameter':
      return type.name
  }
}

/** Whether two types are the same, to the last parameter. */
export function isSameType(a: Type, b: Type): boolean {
  if (a.kind === 'list' && b.kind === 'list') return isSameType(a.item, b.item)
  if (a.kind === 'map' && b.kind === 'map') return isSameType(a.key, b.key) && isSameType(a.value, b.value)
  if (a.kind === 'type' && b.kind === 'type') return isSameType(a.of, b.of)
  if (a.kind === 'abstract' && b.kind === 'abstract') {
    return a.name === b.name && a.parameters.every((each, at) => isSameType(each, b.parameters[at] ?? each))
  }
  return a.kind === b.kind && 'name' in a && 'name' in b && a.name === b.name
}
