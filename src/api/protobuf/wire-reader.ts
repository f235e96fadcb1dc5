/** The bytes are no well-formed protobuf message. */
export class ProtobufError extends Error {
  constructor(why: string) {
    super(`proto: ${why}`)
    this.name = 'ProtobufError'
  }
}

/** Reads one message's fields from a slice of bytes. Every read is bounds-checked and throws `ProtobufError`. */
export class WireReader {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get atEnd(): boolean {
    return this.#at >= this.#end
  }

  /** The next field's number and wire type. */
  tag(): { number: number; wireType: number } {
    const tag = this.#varint32()
    if (tag >>> 3 === 0) throw new ProtobufError('illegal tag 0')
    return { number: tag >>> 3, wireType: tag & 7 }
  }

  /** A signed integer; beyond 2^53 the nearest double. */
  int(): number {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return low
    }
    return this.#longInt(low)
  }

  bool(): boolean {
    return this.int() !== 0
  }

  double(): number {
    const start = this.#skip(8)
    return this.#bytes.readDoubleLE(start)
  }

  string(): string {
    const { start, end } = this.#lengthPrefixed()
    return this.#bytes.toString('utf8', start, end)
  }

  bytes(): Buffer {
    const { start, end } = this.#lengthPrefixed()
    return this.#bytes.subarray(start, end)
  }

  message(): WireReader {
    const { start, end } = this.#lengthPrefixed()
    return new WireReader(this.#bytes, start, end)
  }

  /** Steps over a field nobody knows. */
  skipField(wireType: number): void {
    if (wireType === 0) this.int()
    else if (wireType === 1) this.#skip(8)
    else if (wireType === 2) this.#lengthPrefixed()
    else if (wireType === 5) this.#skip(4)
    else throw new ProtobufError(`illegal wireType ${wireType}`)
  }

  #longInt(low: number): number {
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, value))
    }
    throw new ProtobufError('integer overflow')
  }

  #varint32(): number {
    const value = this.int()
    if (value < 0 || value > 0xffffffff) throw new ProtobufError('integer overflow')
    return value
  }

  #lengthPrefixed(): { start: number; end: number } {
    const length = this.#varint32()
    const start = this.#skip(length)
    return { start, end: start + length }
  }

  #skip(length: number): number {
    const start = this.#at
    if (start + length > this.#end) throw new ProtobufError('unexpected EOF')
    this.#at = start + length
    return start
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new ProtobufError('unexpected EOF')
    return this.#bytes[this.#at++] as number
  }
}
