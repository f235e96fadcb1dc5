import { alignments, parseSignature, type BasicCode, type DbusType } from './signature.ts'
import type { DbusValue } from './value.ts'

export interface Decoded {
  readonly values: readonly DbusValue[]
  /** How many bytes they took. */
  readonly length: number
}

/** Reads values of these types from the start of a message's header or body. Throws when the bytes hold none. */
export function decodeValues(signature: string, bytes: Buffer, isLittleEndian: boolean): Decoded {
  const reader = new ByteReader(bytes, isLittleEndian)
  const values = parseSignature(signature).map((type) => read(reader, type, 0))
  return { values, length: reader.position }
}

/** Variants bring types of their own: what they nest is counted here. */
const deepestNesting = 64

class ByteReader {
  position = 0
  readonly #bytes: Buffer
  readonly #isLittleEndian: boolean

  constructor(bytes: Buffer, isLittleEndian: boolean) {
    this.#bytes = bytes
    this.#isLittleEndian = isLittleEndian
  }

  /** The next so many bytes, from a multiple of `alignment`. */
  take(byteCount: number, alignment = 1): Buffer {
    const start = Math.ceil(this.position / alignment) * alignment
    this.position = start + byteCount
    if (this.position > this.#bytes.length) throw new Error('D-Bus: message too short')
    return this.#bytes.subarray(start, this.position)
  }

  /** The bytes of one number, the least significant first. */
  number(size: number): Buffer {
    const bytes = this.take(size, size)
    return this.#isLittleEndian ? bytes : Buffer.from(bytes).reverse()
  }
}

function read(reader: ByteReader, type: DbusType, depth: number): DbusValue {
  if (depth > deepestNesting) throw new Error('D-Bus: message nested too deeply')
  switch (type.code) {
    case 'a':
      return readArray(reader, type.item, depth)
    case 'r':
    case 'e':
      reader.take(0, 8)
      return type.fields.map((field) => read(reader, field, depth + 1))
    case 'v': {
      const signature = readBasic(reader, 'g') as string
      const [inner, ...more] = parseSignature(signature)
      if (inner === undefined || more.length > 0) throw new Error(`D-Bus: variant of "${signature}"`)
      return { signature, value: read(reader, inner, depth + 1) }
    }
    default:
      return readBasic(reader, type.code)
  }
}

function readArray(reader: ByteReader, item: DbusType, depth: number): readonly DbusValue[] {
  const byteCount = reader.number(4).readUInt32LE()
  reader.take(0, alignments[item.code])
  const end = reader.position + byteCount
  const values: DbusValue[] = []
  while (reader.position < end) values.push(read(reader, item, depth + 1))
  if (reader.position !== end) throw new Error('D-Bus: array of a wrong length')
  return values
}

function readBasic(reader: ByteReader, code: BasicCode): DbusValue {
  const size = alignments[code]
  switch (code) {
    case 's':
    case 'o':
    case 'g': {
      const byteCount = reader.number(size).readUIntLE(0, size)
      return reader.take(byteCount + 1).toString('utf8', 0, byteCount)
    }
    case 'b':
      return reader.number(size).readUInt32LE() === 1
    case 'x':
      return reader.number(size).readBigInt64LE()
    case 't':
      return reader.number(size).readBigUInt64LE()
    case 'd':
      return reader.number(size).readDoubleLE()
    case 'n':
    case 'i':
      return reader.number(size).readIntLE(0, size)
    default:
      return reader.number(size).readUIntLE(0, size)
  }
}
