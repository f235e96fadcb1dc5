import type { WireWatchEvent } from '#api/meta/exchange.ts'
import type { ObjectCodec, StoredForm } from '../cache/object-codec.ts'
import { isOwnList } from './own-list.ts'
import { typedItems } from './typed-items.ts'

/** A list's JSON, made piece by piece as it is sent: a large one never stands in memory as a whole. */
export interface EncodedList {
  readonly byteLength: number
  /**
   * The text in pieces with whole items, to be gone through once. A piece lies in `scratch`, and is overwritten when
   * the next one is asked for; an item that does not fit has memory of its own.
   */
  readonly pieces: (scratch: Buffer) => Iterable<Uint8Array>
}

/** JSON for the wire. Objects from the store are not stringified again: their stored bytes are spliced. */
export class JsonEncoder {
  readonly #codec: ObjectCodec
  readonly #events = new WeakMap<WireWatchEvent, Uint8Array>()

  constructor(codec: ObjectCodec) {
    this.#codec = codec
  }

  /** An object, a List, a Status, anything. */
  encode(object: object): Uint8Array {
    const form = this.#codec.storedForm(object)
    if (form !== undefined) return joined('', form, '\n')
    const list = this.encodeList(object)
    return list === undefined ? Buffer.from(`${JSON.stringify(object)}\n`) : inOnePiece(list)
  }

  encodePretty(object: object): Uint8Array {
    const plain: unknown = JSON.parse(Buffer.from(this.encode(object)).toString())
    return Buffer.from(`${JSON.stringify(plain, undefined, 2)}\n`)
  }

  /** One line of a watch, made once for all watchers. */
  encodeEvent(event: WireWatchEvent): Uint8Array {
    const known = this.#events.get(event)
    if (known !== undefined) return known
    const form = this.#codec.storedForm(event.object)
    const opening = `{"type":"${event.type}","object":`
    const line =
      form === undefined ? Buffer.from(`${opening}${JSON.stringify(event.object)}}\n`) : joined(opening, form, '}\n')
    this.#events.set(event, line)
    return line
  }

  /**
   * A kind's own list; undefined for anything else. Its items carry no `kind` and `apiVersion`: the list says them.
   */
  encodeList(list: object): EncodedList | undefined {
    const { items } = list as { readonly items?: unknown }
    if (!Array.isArray(items) || !isOwnList(list, items as readonly object[])) return undefined
    const opening = Buffer.from(JSON.stringify({ ...list, items: [] }).slice(0, -2))
    const formOf = (item: object): StoredForm =>
      typedItems in list
        ? (this.#codec.storedForm(item) ?? plainForm(item))
        : (this.#codec.storedItem(item) ?? plainForm(withoutType(item)))
    const parts = (items as readonly object[]).map(formOf)
    const commas = Math.max(0, parts.length - 1)
    const byteLength = parts.reduce((sum, part) => sum + lengthOf(part), opening.length + commas + listEnd.length)
    return { byteLength, pieces: (scratch) => listPieces(scratch, opening, parts) }
  }
}

export function inOnePiece({ pieces, byteLength }: EncodedList): Uint8Array {
  const [whole = listEnd] = pieces(Buffer.allocUnsafe(byteLength))
  return whole
}

const listEnd = Buffer.from(']}\n')

function* listPieces(scratch: Buffer, opening: Buffer, parts: readonly StoredForm[]): Iterable<Uint8Array> {
  let offset = opening.copy(scratch)
  for (const [index, part] of parts.entries()) {
    const comma = index > 0 ? ',' : ''
    const length = comma.length + lengthOf(part)
    if (offset + length + listEnd.length > scratch.length) {
      yield scratch.subarray(0, offset)
      offset = 0
    }
    if (length + listEnd.length <= scratch.length) offset = put(scratch, offset, comma, part)
    else yield joined(comma, part, '')
  }
  yield scratch.subarray(0, offset + listEnd.copy(scratch, offset))
}

function joined(before: string, form: StoredForm, after: string): Buffer {
  const bytes = Buffer.allocUnsafe(before.length + lengthOf(form) + after.length)
  bytes.write(after, put(bytes, 0, before, form), 'latin1')
  return bytes
}

/** Writes `before` and the form at `offset`; answers where they end. */
function put(target: Buffer, offset: number, before: string, { head, bytes, from }: StoredForm): number {
  const start = offset + target.write(before + head, offset, 'latin1')
  target.set(from === 0 ? bytes : bytes.subarray(from), start)
  return start + bytes.length - from
}

function lengthOf({ head, bytes, from }: StoredForm): number {
  return head.length + bytes.length - from
}

/** An item that is not from the store. */
function plainForm(item: object): StoredForm {
  return { head: '', bytes: Buffer.from(JSON.stringify(item)), from: 0 }
}

function withoutType(item: object): object {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = item as Readonly<Record<string, unknown>>
  return rest
}
