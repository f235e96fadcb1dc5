import { once, schemaTypes } from '../schema/load.ts'
import { decodeMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { MessageTables, type MessageTable } from './message-table.ts'
import { ProtobufError, WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

/** `application/vnd.kubernetes.protobuf` (API reference, "Alternate representations of resources"). */
export class KubernetesProtobuf {
  readonly #tables = new MessageTables()
  readonly #protoByGvk: ReadonlyMap<string, string>
  readonly #embedded = (bytes: Buffer): unknown => this.decode(bytes)

  constructor() {
    const rows = Object.values(schemaTypes()).flatMap(({ proto, gvk }) =>
      (gvk ?? []).map((name) => [name, proto] as const),
    )
    this.#protoByGvk = new Map(rows)
  }

  /**
   * Decodes an object with its envelope into its JSON shape; `apiVersion` and `kind` come from the envelope. `fallback`
   * says what it is where the envelope does not. Throws `ProtobufError`.
   */
  decode(bytes: Buffer, fallback?: { readonly apiVersion: string; readonly kind: string }): Record<string, unknown> {
    const { apiVersion, kind, raw } = readEnvelope(bytes)
    const named = { apiVersion: apiVersion || fallback?.apiVersion || '', kind: kind || fallback?.kind || '' }
    const table = this.#tableOf(named.apiVersion, named.kind)
    if (!table) throw new ProtobufError(`no protobuf form of ${named.apiVersion} ${named.kind}`)
    return { ...named, ...(decodeMessage(raw, table, this.#embedded) as object) }
  }

  /** Whether the kind has a protobuf form at all: custom resources and Tables have none. */
  supports(apiVersion: string, kind: string): boolean {
    return this.#tableOf(apiVersion, kind) !== undefined
  }

  /** Encodes an object, which must carry `apiVersion` and `kind`, with its envelope. Throws `RangeError` for an unsupported kind. */
  encode(object: Typed): Buffer {
    return this.wrap(object, this.encodeMessage(object))
  }

  /** The same without the envelope, as an object stands in a list. Throws `RangeError` for an unsupported kind. */
  encodeMessage(object: Typed): Buffer {
    const apiVersion = String(object.apiVersion)
    const kind = String(object.kind)
    const table = this.#tableOf(apiVersion, kind)
    if (!table) throw new RangeError(`${apiVersion} ${kind} has no protobuf form`)
    return encodeMessage(object, table)
  }

  /** Puts an object's message into its envelope. */
  wrap(object: Typed, message: Buffer): Buffer {
    return writeEnvelope(String(object.apiVersion), String(object.kind), message)
  }

  /**
   * Encodes a kind's list with its envelope from the messages of its items: `list` is the list without them. Every list
   * has its metadata as field 1 and its items as field 2.
   */
  encodeList(list: Typed, items: readonly Uint8Array[]): Buffer {
    const head = this.encodeMessage(list)
    const length = items.reduce((sum, item) => sum + 1 + varintLength(item.length) + item.length, head.length)
    const message = Buffer.allocUnsafe(length)
    let offset = head.copy(message)
    for (const item of items) {
      message[offset++] = itemsTag
      offset = putVarint(message, offset, item.length)
      message.set(item, offset)
      offset += item.length
    }
    return this.wrap(list, message)
  }

  /** One frame of a watch: its length as four bytes, then a WatchEvent whose object has an envelope of its own. */
  watchFrame(type: string, object: Uint8Array): Buffer {
    const writer = new WireWriter()
    const end = writer.length
    writer.bytes(object)
    writer.tag(1, 2)
    writer.varint(writer.length - end)
    writer.tag(2, 2)
    writer.string(type)
    writer.tag(1, 2)
    const event = writer.finish()
    const length = Buffer.alloc(4)
    length.writeUInt32BE(event.length)
    return Buffer.concat([length, event])
  }

  #tableOf(apiVersion: string, kind: string): MessageTable | undefined {
    const proto = this.#protoByGvk.get(`${apiVersion}/${kind}`)
    return proto === undefined ? undefined : this.#tables.get(proto)
  }
}

/** The codec of Kubernetes' own types, made on first use: its tables never change. */
export const kubernetesProtobuf: () => KubernetesProtobuf = once(() => new KubernetesProtobuf())

interface Typed {
  readonly apiVersion?: unknown
  readonly kind?: unknown
}

/** Field 2, length-delimited. */
const itemsTag = 0x12

function varintLength(value: number): number {
  let length = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++
  return length
}

function putVarint(target: Buffer, start: number, value: number): number {
  let offset = start
  let rest = value
  for (; rest > 0x7f; rest >>>= 7) target[offset++] = (rest & 0x7f) | 0x80
  target[offset++] = rest
  return offset
}

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00])

interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  readonly raw: Buffer
}

function readEnvelope(bytes: Buffer): Envelope {
  if (bytes.length < magic.length || !bytes.subarray(0, magic.length).equals(magic)) {
    throw new ProtobufError('the body does not begin with the Kubernetes protobuf prefix')
  }
  const found = { apiVersion: '', kind: '', raw: Buffer.alloc(0) as Buffer }
  const reader = new WireReader(bytes, magic.length)
  while (!reader.atEnd) {
    const { number, wireType } = reader.tag()
    if (number === 1 && wireType === 2) Object.assign(found, readTypeMeta(reader.message()))
    else if (number === 2 && wireType === 2) found.raw = reader.bytes()
    else reader.skipField(wireType)
  }
  return found
}

function readTypeMeta(reader: WireReader): { apiVersion: string; kind: string } {
  const meta = { apiVersion: '', kind: '' }
  while (!reader.atEnd) {
    const { number, wireType } = reader.tag()
    if (number === 1 && wireType === 2) meta.apiVersion = reader.string()
    else if (number === 2 && wireType === 2) meta.kind = reader.string()
    else reader.skipField(wireType)
  }
  return meta
}

function writeEnvelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const writer = new WireWriter()
  // contentType and contentEncoding, empty as Go writes them.
  for (const number of [4, 3]) {
    writer.string('')
    writer.tag(number, 2)
  }
  writer.bytes(raw)
  writer.tag(2, 2)
  const before = writer.length
  writer.string(kind)
  writer.tag(2, 2)
  writer.string(apiVersion)
  writer.tag(1, 2)
  writer.varint(writer.length - before)
  writer.tag(1, 2)
  return Buffer.concat([magic, writer.finish()])
}
