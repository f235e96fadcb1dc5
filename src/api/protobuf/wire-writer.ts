/**
 * Writes a message from its end to its beginning: when a nested message is finished its length is known, so nothing is
 * measured twice or moved. Callers write fields in descending order, and each field's value before its tag.
 */
export class WireWriter {
  #bytes: Buffer = Buffer.allocUnsafe(1024)
  #start = 1024

  /** Bytes written so far: the difference of two readings is the length of what lies between. */
  get length(): number {
    return this.#bytes.length - this.#start
  }

  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(this.#start))
  }

  tag(number: number, wireType: 0 | 1 | 2): void {
    this.varint(number * 8 + wireType)
  }

  /** A 32- or 64-bit signed integer; negative ones take ten bytes. */
  int(value: number): void {
    if (value >= 0) return this.varint(value)
    this.#bigVarint(BigInt.asUintN(64, BigInt(value)))
  }

  varint(value: number): void {
    if (value > 0x7fffffff) return this.#bigVarint(BigInt(value))
    const size = value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
    let at = this.#reserve(size)
    let rest = value
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[at++] = (rest & 0x7f) | 0x80
    this.#bytes[at] = rest
  }

  double(value: number): void {
    const at = this.#reserve(8)
    this.#bytes.writeDoubleLE(value, at)
  }

  /** Text with its length before it. */
  string(text: string): void {
    const size = Buffer.byteLength(text)
    const at = this.#reserve(size)
    this.#bytes.write(text, at, 'utf8')
    this.varint(size)
  }

  /** Bytes with their length before them. */
  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
    this.varint(bytes.length)
  }

  #bigVarint(value: bigint): void {
    const groups: number[] = []
    let rest = value
    for (; rest >= 0x80n; rest >>= 7n) groups.push(Number(rest & 0x7fn) | 0x80)
    groups.push(Number(rest))
    const at = this.#reserve(groups.length)
    this.#bytes.set(groups, at)
  }

  #reserve(size: number): number {
    if (size > this.#start) this.#grow(size)
    this.#start -= size
    return this.#start
  }

  #grow(size: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + size + 1024))
    const start = grown.length - this.length
    this.#bytes.copy(grown, start, this.#start)
    this.#bytes = grown
    this.#start = start
  }
}
