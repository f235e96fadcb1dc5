import { schemaTypes, wireOnlyTypes } from '../schema/load.ts'
import type { SchemaType } from '../schema/shapes.ts'
import { zeroMeansAbsent } from '../schema/presence.ts'

/** How one field of a message travels. */
export interface WireField {
  readonly number: number
  /** The JSON field, or empty for a message whose fields stand inline in the JSON object. */
  readonly name: string
  readonly shape: 'single' | 'repeated' | 'map'
  readonly value: WireValue
  /** A zero read from the wire was never set: leave it out. */
  readonly dropsZero: boolean
}

export type WireValue =
  | { readonly type: 'string' | 'bool' | 'int' | 'double' | 'bytes' }
  /** Resolved on first use, because types refer to each other. */
  | { readonly type: 'message'; readonly table: () => MessageTable }

/** A message as a table, or a scalar of Kubernetes that travels as a message of its own. */
export interface MessageTable {
  readonly proto: string
  readonly special: SpecialForm | undefined
  /** In ascending order of their numbers, as Go writes them. */
  readonly fields: readonly WireField[]
  readonly byNumber: ReadonlyMap<number, WireField>
}

/** Messages whose JSON is not an object with the same fields. */
export type SpecialForm =
  | 'quantity'
  | 'time'
  | 'microTime'
  | 'intOrString'
  | 'json'
  | 'rawExtension'
  | 'list'
  | 'schemaOrArray'
  | 'schemaOrBool'
  | 'schemaOrStrings'

const specialForms: Readonly<Record<string, SpecialForm>> = {
  Quantity: 'quantity',
  Time: 'time',
  MicroTime: 'microTime',
  IntOrString: 'intOrString',
  FieldsV1: 'json',
  JSON: 'json',
  RawExtension: 'rawExtension',
  ExtraValue: 'list',
  JSONSchemaPropsOrArray: 'schemaOrArray',
  JSONSchemaPropsOrBool: 'schemaOrBool',
  JSONSchemaPropsOrStringArray: 'schemaOrStrings',
}

/** All messages of Kubernetes' API, made from the schema facts as they are asked for. */
export class MessageTables {
  readonly #schemaByProto: ReadonlyMap<string, SchemaType>
  readonly #made = new Map<string, MessageTable>()

  constructor() {
    this.#schemaByProto = new Map(Object.values(schemaTypes()).map((type) => [type.proto, type]))
  }

  /** The table of a message by its full protobuf name. Throws for a name nobody knows. */
  get(proto: string): MessageTable {
    const known = this.#made.get(proto)
    if (known) return known
    const fields = this.#fieldsOf(proto)
    const byNumber = new Map(fields.map((field) => [field.number, field]))
    const table = { proto, special: specialForms[shortName(proto)], fields, byNumber }
    this.#made.set(proto, table)
    return table
  }

  #fieldsOf(proto: string): WireField[] {
    const type = this.#schemaByProto.get(proto)
    const rows = type ? schemaRows(type) : wireOnlyRows(proto)
    return rows
      .map(({ name, number, wire, isRequired }) => ({
        number,
        name,
        ...this.#shapeOf(wire, proto),
        dropsZero: !isRequired && zeroMeansAbsent(shortName(proto), name, wire),
      }))
      .sort((a, b) => a.number - b.number)
  }

  #shapeOf(wire: string, proto: string): Pick<WireField, 'shape' | 'value'> {
    const map = /^map<string,\s*(.+)>$/.exec(wire)
    if (map) return { shape: 'map', value: this.#valueOf(map[1] as string, proto) }
    const repeated = /^repeated (.+)$/.exec(wire)
    if (repeated) return { shape: 'repeated', value: this.#valueOf(repeated[1] as string, proto) }
    return { shape: 'single', value: this.#valueOf(wire, proto) }
  }

  #valueOf(wire: string, proto: string): WireValue {
    if (wire === 'string' || wire === 'bool' || wire === 'double' || wire === 'bytes') return { type: wire }
    if (wire === 'int32' || wire === 'int64') return { type: 'int' }
    const name = wire.startsWith('.') ? wire.slice(1) : `${proto.slice(0, proto.lastIndexOf('.'))}.${wire}`
    return { type: 'message', table: () => this.get(name) }
  }
}

interface WireRow {
  readonly name: string
  readonly number: number
  readonly wire: string
  readonly isRequired: boolean
}

function schemaRows(type: SchemaType): WireRow[] {
  const fields = Object.entries(type.fields ?? {})
  const own = fields.flatMap(([name, { number, wire, required }]) =>
    number === undefined || wire === undefined ? [] : [{ name, number, wire, isRequired: required === true }],
  )
  const others = Object.entries(type.wireOther ?? {}).map(([wireName, [number, wire]]) => {
    // A scalar's message has fields of its own; another type's field that JSON does not know stands inline.
    const unmatched = [type.fields === undefined ? wireName : '', undefined] as const
    const [name, field] = fields.find(([name]) => sameName(name, wireName)) ?? unmatched
    return { name, number, wire, isRequired: field?.required === true }
  })
  return [...own, ...others]
}

function wireOnlyRows(proto: string): WireRow[] {
  const type = wireOnlyTypes()[proto]
  if (!type) throw new RangeError(`No protobuf message is called ${proto}`)
  return Object.entries(type).map(([name, { number, wire }]) => ({ name, number, wire, isRequired: false }))
}

/** Some fields are spelled otherwise on the wire: `uID` for `uid`, `xKubernetesMapType` for `x-kubernetes-map-type`. */
function sameName(jsonName: string, wireName: string): boolean {
  return jsonName.replaceAll(/[$-]/g, '').toLowerCase() === wireName.toLowerCase()
}

function shortName(proto: string): string {
  return proto.slice(proto.lastIndexOf('.') + 1)
}
