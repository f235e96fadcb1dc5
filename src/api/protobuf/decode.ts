import { canonicalTime } from './timestamps.ts'
import type { MessageTable, WireField, WireValue } from './message-table.ts'
import { ProtobufError, WireReader } from './wire-reader.ts'

type JsonObject = Record<string, unknown>

/** Nested deeper than any object of Kubernetes; a hostile message must not overflow the stack. */
const maxDepth = 200

/** What a decoder needs to read an object inside of a `RawExtension`, which may be protobuf itself. */
export type DecodeEmbedded = (bytes: Buffer) => unknown

/** Decodes a message into the object's JSON shape. Unknown fields are skipped. Throws `ProtobufError`. */
export function decodeMessage(bytes: Buffer, table: MessageTable, embedded: DecodeEmbedded): unknown {
  return new Decoder(embedded).value(new WireReader(bytes), table, 0)
}

class Decoder {
  readonly #embedded: DecodeEmbedded

  constructor(embedded: DecodeEmbedded) {
    this.#embedded = embedded
  }

  value(reader: WireReader, table: MessageTable, depth: number): unknown {
    if (depth > maxDepth) throw new ProtobufError('nested too deeply')
    if (table.special !== undefined) return this.#special(reader, table, depth)
    const object: JsonObject = {}
    this.#fill(object, reader, table, depth)
    return object
  }

  #fill(object: JsonObject, reader: WireReader, table: MessageTable, depth: number): void {
    while (!reader.atEnd) {
      const { number, wireType } = reader.tag()
      const field = table.byNumber.get(number)
      if (!field) reader.skipField(wireType)
      else this.#field(object, reader, field, wireType, depth)
    }
  }

  #field(object: JsonObject, reader: WireReader, field: WireField, wireType: number, depth: number): void {
    const { name, value } = field
    if (field.shape === 'map') return this.#mapEntry(object, reader.message(), field, depth)
    if (name === '' && value.type === 'message') return this.#fill(object, reader.message(), value.table(), depth + 1)
    if (field.shape === 'repeated') {
      const list = (object[name] ??= []) as unknown[]
      if (wireType === 2 && isPackable(value)) return this.#packed(list, reader.message(), value)
      list.push(this.#single(reader, value, wireType, depth))
      return
    }
    const read = this.#single(reader, value, wireType, depth)
    if (read === undefined || (field.dropsZero && (read === 0 || read === '' || read === false))) return
    object[name] = read
  }

  #packed(list: unknown[], reader: WireReader, value: WireValue): void {
    while (!reader.atEnd) list.push(this.#single(reader, value, value.type === 'double' ? 1 : 0, 0))
  }

  #single(reader: WireReader, value: WireValue, wireType: number, depth: number): unknown {
    if (wireType !== wireTypeOf(value)) throw new ProtobufError(`wrong wireType = ${wireType}`)
    switch (value.type) {
      case 'string':
        return reader.string()
      case 'int':
        return reader.int()
      case 'bool':
        return reader.bool()
      case 'double':
        return reader.double()
      case 'bytes':
        return reader.bytes().toString('base64')
      case 'message':
        return this.value(reader.message(), value.table(), depth + 1)
    }
  }

  #mapEntry(object: JsonObject, entry: WireReader, { name, value }: WireField, depth: number): void {
    const map = (object[name] ??= {}) as JsonObject
    let key = ''
    let read: unknown
    while (!entry.atEnd) {
      const { number, wireType } = entry.tag()
      if (number === 1 && wireType === 2) key = entry.string()
      else if (number === 2) read = this.#single(entry, value, wireType, depth)
      else entry.skipField(wireType)
    }
    // A key such as `__proto__` is data here, never a prototype.
    Object.defineProperty(map, key, {
      value: read ?? emptyOf(value),
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }

  #special(reader: WireReader, table: MessageTable, depth: number): unknown {
    const raw: JsonObject = {}
    if (table.special === 'json' || table.special === 'rawExtension') return this.#json(reader, table.special)
    this.#fill(raw, reader, table, depth)
    switch (table.special) {
      case 'quantity':
        return raw['string'] ?? '0'
      case 'time':
      case 'microTime':
        // An empty message is Go's zero time: not set.
        return Object.keys(raw).length === 0 ? undefined : canonicalTime(raw, table.special)
      case 'intOrString':
        return raw['type'] === 1 ? (raw['strVal'] ?? '') : (raw['intVal'] ?? 0)
      case 'list':
        return raw['items'] ?? []
      case 'schemaOrArray':
        return raw['jSONSchemas'] ?? raw['schema']
      case 'schemaOrBool':
        return raw['schema'] ?? raw['allows'] ?? false
      default:
        return raw['property'] ?? raw['schema']
    }
  }

  #json(reader: WireReader, form: 'json' | 'rawExtension'): unknown {
    let raw: Buffer = Buffer.alloc(0)
    while (!reader.atEnd) {
      const { number, wireType } = reader.tag()
      if (number === 1 && wireType === 2) raw = reader.bytes()
      else reader.skipField(wireType)
    }
    if (raw.length === 0) return undefined
    if (form === 'rawExtension' && raw[0] === 0x6b) return this.#embedded(raw)
    try {
      return JSON.parse(raw.toString('utf8')) as unknown
    } catch {
      throw new ProtobufError('embedded JSON is malformed')
    }
  }
}

function isPackable(value: WireValue): boolean {
  return value.type === 'int' || value.type === 'bool' || value.type === 'double'
}

function wireTypeOf(value: WireValue): number {
  if (value.type === 'int' || value.type === 'bool') return 0
  return value.type === 'double' ? 1 : 2
}

/** A map entry may leave its value out where it is zero. */
function emptyOf(value: WireValue): unknown {
  if (value.type === 'message') return {}
  if (value.type === 'bool') return false
  return value.type === 'string' || value.type === 'bytes' ? '' : 0
}
