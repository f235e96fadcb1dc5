/**
 * DER (ITU-T X.690), the small part that certificates need: definite lengths, single-byte tags. Writers return the
 * whole element; the reader never looks past the bytes it was given and refuses anything malformed.
 */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size])
  const hex = size.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes])
}

/** One element of any tag around finished contents. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = contents.length === 1 ? contents[0]! : Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(tags.sequence, ...parts)
export const set = (...parts: readonly Uint8Array[]): Buffer => element(tags.set, ...parts)
export const octetString = (bytes: Uint8Array): Buffer => element(tags.octetString, bytes)
export const utf8 = (text: string): Buffer => element(tags.utf8String, Buffer.from(text, 'utf8'))
export const boolean = (value: boolean): Buffer => element(tags.boolean, Buffer.from([value ? 0xff : 0]))

/** A context-specific tag: constructed when it wraps elements, primitive when it replaces a tag. */
export const context = (number: number, constructed: boolean, ...parts: readonly Uint8Array[]): Buffer =>
  element(0x80 | (constructed ? 0x20 : 0) | number, ...parts)

/** `unusedBits` are the low bits of the last byte that do not count. */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Buffer =>
  element(tags.bitString, Buffer.from([unusedBits]), bytes)

/** A non-negative integer from its big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const trimmed = bytes.subarray(start)
  const negative = ((trimmed[0] ?? 0) & 0x80) !== 0
  return element(tags.integer, Buffer.from(negative || trimmed.length === 0 ? [0] : []), trimmed)
}

/** An object identifier from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return element(tags.objectIdentifier, Buffer.from(bytes))
}

/** UTCTime before 2050 and GeneralizedTime from then on, as RFC 5280 demands. */
export function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  const year = new Date(epochMs).getUTCFullYear()
  return year < 2050
    ? element(tags.utcTime, Buffer.from(`${digits.slice(2)}Z`, 'latin1'))
    : element(tags.generalizedTime, Buffer.from(`${digits}Z`, 'latin1'))
}

/** One element as read: its tag, its contents, and the bytes of the whole. */
export interface DerElement {
  readonly tag: number
  readonly body: Buffer
  readonly whole: Buffer
}

/** Thrown for bytes that are not the DER structure asked for. */
export class DerError extends Error {
  override readonly name = 'DerError'
}

/** Reads the elements that fill `bytes` exactly. */
export function readElements(bytes: Buffer): DerElement[] {
  const found: DerElement[] = []
  for (let offset = 0; offset < bytes.length;) {
    const next = readElement(bytes, offset)
    found.push(next)
    offset += next.whole.length
  }
  return found
}

function readElement(bytes: Buffer, start: number): DerElement {
  const tag = bytes[start]
  const first = bytes[start + 1]
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new DerError('truncated or odd element')
  let size = first
  let offset = start + 2
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4 || offset + count > bytes.length) throw new DerError('bad length')
    size = bytes.readUIntBE(offset, count)
    offset += count
  }
  if (offset + size > bytes.length) throw new DerError('element is longer than its container')
  return { tag, body: bytes.subarray(offset, offset + size), whole: bytes.subarray(start, offset + size) }
}

/** The single element that fills `bytes`, of the given tag. */
export function readOne(bytes: Buffer, tag: number): DerElement {
  const [only, ...more] = readElements(bytes)
  if (only === undefined || more.length > 0 || only.tag !== tag)
    throw new DerError(`expected one element of tag ${tag}`)
  return only
}

/** The dotted form of an object identifier's contents. */
export function readObjectIdentifier(body: Buffer): string {
  const arcs: number[] = []
  let value = 0
  for (const byte of body) {
    value = value * 128 + (byte & 0x7f)
    if (value > Number.MAX_SAFE_INTEGER / 128) throw new DerError('object identifier arc too large')
    if (byte & 0x80) continue
    if (arcs.length === 0)
      arcs.push(Math.min(Math.floor(value / 40), 2), value - Math.min(Math.floor(value / 40), 2) * 40)
    else arcs.push(value)
    value = 0
  }
  return arcs.join('.')
}
