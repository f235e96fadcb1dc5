import type { WireWatchEvent } from '#api/meta/exchange.ts'
import type { ObjectCodec } from '../cache/object-codec.ts'

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
    if (form !== undefined) return Buffer.concat([Buffer.from(form.head), form.tail, newline])
    const items = (object as { readonly items?: unknown }).items
    if (Array.isArray(items)) return this.#encodeList(object, items as readonly object[])
    return Buffer.from(`${JSON.stringify(object)}\n`)
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
      form === undefined
        ? Buffer.from(`${opening}${JSON.stringify(event.object)}}\n`)
        : Buffer.concat([Buffer.from(opening + form.head), form.tail, eventEnd])
    this.#events.set(event, line)
    return line
  }

  /** Items of a kind's own list carry no `kind` and `apiVersion`: the list says them. */
  #encodeList(list: object, items: readonly object[]): Uint8Array {
    if (!isOwnList(list, items)) return Buffer.from(`${JSON.stringify(list)}\n`)
    const head = JSON.stringify({ ...list, items: [] })
    const parts: Uint8Array[] = [Buffer.from(head.slice(0, -2))]
    let separator = ''
    for (const item of items) {
      const form = this.#codec.storedItem(item)
      if (form === undefined) parts.push(Buffer.from(separator + JSON.stringify(withoutType(item))))
      else parts.push(Buffer.from(separator + form.head), form.tail)
      separator = ','
    }
    parts.push(listEnd)
    return Buffer.concat(parts)
  }
}

function isOwnList(list: object, items: readonly object[]): boolean {
  const { kind } = list as { readonly kind?: unknown }
  const item = items[0] as { readonly kind?: unknown } | undefined
  return kind !== 'PartialObjectMetadataList' && (item === undefined || kind === `${item.kind}List`)
}

function withoutType(item: object): object {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = item as Readonly<Record<string, unknown>>
  return rest
}

const newline = Buffer.from('\n')
const eventEnd = Buffer.from('}\n')
const listEnd = Buffer.from(']}\n')
