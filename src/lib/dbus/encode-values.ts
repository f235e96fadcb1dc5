import { alignments, parseSignature, type BasicCode, type DbusType } from './signature.ts'
import type { DbusValue, DbusVariant } from './value.ts'

/** The bytes of values of these types, little endian, as they stand at the start of a message's body. */
export function encodeValues(signature: string, values: readonly DbusValue[]): Buffer {
  const types = parseSignature(signature)
  if (types.length !== values.length) throw new Error(`D-Bus: ${values.length} values for signature "${signature}"`)
  const writer = new ByteWriter()
  for (const [index, type] of types.entries()) write(writer, type, values[index] as DbusValue)
  return writer.bytes
}

/** Grows as it is written to. */
class ByteWriter {
  #bytes = Buffer.alloc(256)
  #length = 0

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  get length(): number {
    return this.#length
  }

  /** Room for so many bytes at the next multiple of `alignment`; what is left out is zero. */
  take(byteCount: number, alignment: number): number {
    const start = Math.ceil(this.#length / alignment) * alignment
    const end = start + byteCount
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#length = end
    return start
  }

  at(): Buffer {
    return this.#bytes
  }
}

function write(writer: ByteWriter, type: DbusType, value: DbusValue): void {
  switch (type.code) {
    case 'a':
      return writeArray(writer, type.item, value as readonly DbusValue[])
    case 'r':
    case 'e': {
      writer.take(0, 8)
      for (const [index, field] of type.fields.entries())
        write(writer, field, (value as readonly DbusValue[])[index] as DbusValue)
      return
    }
    case 'v': {
      const { signature, value: inner } = value as DbusVariant
      write(writer, { code: 'g' }, signature)
      return write(writer, parseSignature(signature)[0] as DbusType, inner)
    }
    default:
      return writeBasic(writer, type.code, value)
  }
}

function writeArray(writer: ByteWriter, item: DbusType, values: readonly DbusValue[]): void {
  const lengthAt = writer.take(4, 4)
  // The padding before the first item does not count.
  const start = writer.take(0, alignments[item.code])
  for (const value of values) write(writer, item, value)
  writer.at().writeUInt32LE(writer.length - start, lengthAt)
}

function writeBasic(writer: ByteWriter, code: BasicCode, value: DbusValue): void {
  if (code === 's' || code === 'o' || code === 'g') return writeText(writer, code, value as string)
  const size = alignments[code]
  const at = writer.take(size, size)
  const bytes = writer.at()
  if (code === 'x') bytes.writeBigInt64LE(value as bigint, at)
  else if (code === 't') bytes.writeBigUInt64LE(value as bigint, at)
  else if (code === 'd') bytes.writeDoubleLE(value as number, at)
  else if (code === 'n' || code === 'i') bytes.writeIntLE(value as number, at, size)
  else bytes.writeUIntLE(Number(value), at, size)
}

function writeText(writer: ByteWriter, code: 's' | 'o' | 'g', text: string): void {
  const body = Buffer.from(`${text}\0`, 'utf8')
  const head = code === 'g' ? 1 : 4
  const at = writer.take(head + body.length, head)
  writer.at().writeUIntLE(body.length - 1, at, head)
  body.copy(writer.at(), at + head)
}
