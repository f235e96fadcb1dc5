/** A range of etcd keys: from `key` up to, but not including, `rangeEnd`. */
export interface KeyRange {
  readonly key: Uint8Array
  readonly rangeEnd: Uint8Array
}

/**
 * Where a store's keys lie in etcd: behind a fixed text, so that several stores can share one etcd.
 *
 * One key is the store's own, a single zero byte after that text: it sorts before all others, so lists begin behind
 * it. It is written to take a revision when nothing else changes, and every watch sees it.
 */
export class KeySpace {
  readonly #keyPrefix: string
  readonly marker: Uint8Array
  /** Everything, the marker included. */
  readonly whole: KeyRange

  /** `keyPrefix` is put before every key; it may be empty. */
  constructor(keyPrefix: string) {
    this.#keyPrefix = keyPrefix
    this.marker = Buffer.from(`${keyPrefix}\0`)
    this.whole = { key: this.marker, rangeEnd: endOfPrefix(keyPrefix) }
  }

  encode(key: string): Uint8Array {
    return Buffer.from(this.#keyPrefix + key)
  }

  /** The key that the store shows for an etcd key of this space; undefined for the marker. */
  decode(bytes: Uint8Array): string | undefined {
    const { buffer, byteOffset, byteLength } = bytes
    const key = Buffer.from(buffer, byteOffset, byteLength).toString().slice(this.#keyPrefix.length)
    return key === '\0' ? undefined : key
  }

  /** The keys that start with `prefix` and, if `after` is given, sort behind it. */
  range(prefix: string, after?: string): KeyRange {
    const start = after !== undefined && after >= prefix ? `${after}\0` : prefix === '' ? '\0\0' : prefix
    return { key: this.encode(start), rangeEnd: endOfPrefix(this.#keyPrefix + prefix) }
  }
}

/** The first key behind all that start with `prefix`; etcd takes a zero byte for "no end". */
function endOfPrefix(prefix: string): Uint8Array {
  if (prefix === '') return Buffer.of(0)
  const end = Buffer.from(prefix)
  // No byte of UTF-8 is 255, so this cannot overflow.
  const last = end.length - 1
  end[last] = (end[last] as number) + 1
  return end
}
