import { decodeValues } from './decode-values.ts'
import { encodeValues } from './encode-values.ts'
import type { DbusValue, DbusVariant } from './value.ts'

/** One message on the bus. */
export interface DbusMessage {
  readonly type: DbusMessageType
  readonly path?: string
  readonly interface?: string
  readonly member?: string
  readonly errorName?: string
  readonly replySerial?: number
  readonly destination?: string
  readonly sender?: string
  readonly signature?: string
  /** As many as the signature says. */
  readonly values?: readonly DbusValue[]
}

const types = ['invalid', 'call', 'return', 'error', 'signal'] as const
export type DbusMessageType = (typeof types)[number]

/** Fields of the header by their number on the wire. */
const fields = [
  undefined,
  ['path', 'o'],
  ['interface', 's'],
  ['member', 's'],
  ['errorName', 's'],
  ['replySerial', 'u'],
  ['destination', 's'],
  ['sender', 's'],
  ['signature', 'g'],
] as const

/** Byte order, type, flags, version, length of the body, serial, fields. */
const headerSignature = 'yyyyuua(yv)'
const fixedBytes = 16
const littleEndian = 'l'.charCodeAt(0)
const protocolVersion = 1

/** Nobody whom we ask has that much to say; a message that claims more ends the connection. */
const largestMessageBytes = 1024 * 1024

export function encodeMessage(message: DbusMessage, serial: number): Buffer {
  const { signature = '', values = [] } = message
  const body = encodeValues(signature, values)
  const present = fields.flatMap((field, number) => {
    const value = field && message[field[0]]
    return field === undefined || value === undefined ? [] : [[number, { signature: field[1], value }]]
  })
  const head = [littleEndian, types.indexOf(message.type), 0, protocolVersion, body.length, serial, present]
  const header = encodeValues(headerSignature, head)
  return Buffer.concat([header, Buffer.alloc(padding(header.length)), body])
}

export interface SplitMessage {
  readonly serial: number
  readonly message: DbusMessage
  /** Bytes that it took. */
  readonly length: number
}

/** The first message in the bytes, or `undefined` while they do not hold all of it. Throws when they hold no message. */
export function decodeMessage(bytes: Buffer): SplitMessage | undefined {
  if (bytes.length < fixedBytes) return undefined
  const isLittleEndian = bytes[0] === littleEndian
  const [, , , version, bodyBytes, serial, fieldBytes] = decodeValues('yyyyuuu', bytes, isLittleEndian)
    .values as number[] as [number, number, number, number, number, number, number]
  if (version !== protocolVersion) throw new Error(`D-Bus: protocol version ${version}`)
  const headerEnd = fixedBytes + fieldBytes
  const start = headerEnd + padding(headerEnd)
  const length = start + bodyBytes
  if (length > largestMessageBytes) throw new Error(`D-Bus: a message of ${length} bytes`)
  if (bytes.length < length) return undefined
  const { values } = decodeValues(headerSignature, bytes.subarray(0, headerEnd), isLittleEndian)
  const known = headerFields(values[6] as readonly (readonly [number, DbusVariant])[])
  const body = decodeValues(known.signature ?? '', bytes.subarray(start, length), isLittleEndian)
  return { serial, length, message: { type: types[values[1] as number] ?? 'invalid', ...known, values: body.values } }
}

function headerFields(given: readonly (readonly [number, DbusVariant])[]): Omit<DbusMessage, 'type' | 'values'> {
  const entries = given.flatMap(([number, { value }]) => {
    const field = fields[number]
    return field === undefined ? [] : [[field[0], value] as const]
  })
  return Object.fromEntries(entries) as Omit<DbusMessage, 'type' | 'values'>
}

function padding(length: number): number {
  return (8 - (length % 8)) % 8
}
