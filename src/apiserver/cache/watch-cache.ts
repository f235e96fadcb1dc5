import type { KubernetesObject } from '#api/meta/resource.ts'
import type { WireWatchEvent } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { ChangeEvent, Entry } from '#storage/store.ts'
import { CacheEvent } from './cache-event.ts'
import { CacheWatcher } from './cache-watcher.ts'
import { EventHistory } from './event-history.ts'
import { FieldIndex, nameOfObject, type IndexedField } from './field-index.ts'
import type { ObjectCodec } from './object-codec.ts'
import { SortedByKey } from './sorted-by-key.ts'
import { StoredObject } from './stored-object.ts'
import { WatcherSet, type Pin } from './watcher-set.ts'

export interface WatchRequest {
  readonly keyPrefix: string
  readonly matches: (object: KubernetesObject) => boolean
  /** What `matches` asks for at least, if that is one value of a field. */
  readonly pin?: Pin | undefined
  /** Watch changes above this revision; absent: begin with the current state as ADDED events. */
  readonly from?: number
}

/**
 * The current state of one stored resource and its recent past, in memory. Reads are answered from it by reference;
 * watchers are fed from it. A change reaches the cache through the store's feed only, so it never shows anything that
 * is not durable.
 */
export class WatchCache {
  readonly prefix: string
  readonly #codec: ObjectCodec
  readonly #items = new SortedByKey<StoredObject>()
  readonly #history = new EventHistory(historyLength)
  readonly #watchers = new WatcherSet()
  readonly #indexes = new Map<string, FieldIndex>()
  /** Answers of `objects`, by prefix. */
  readonly #lists = new Map<string, readonly KubernetesObject[]>()
  /** The revision of the newest change of this resource, or that of the last reset. */
  #revision = 0

  constructor(prefix: string, codec: ObjectCodec) {
    this.prefix = prefix
    this.#codec = codec
  }

  get revision(): number {
    return this.#revision
  }

  get watcherCount(): number {
    return this.#watchers.size
  }

  get size(): number {
    return this.#items.size
  }

  get(key: string): StoredObject | undefined {
    return this.#items.get(key)
  }

  /** Objects whose key starts with `prefix`, ascending by key. The array is a view for immediate use. */
  range(prefix: string): readonly StoredObject[] {
    return this.#items.range(prefix)
  }

  /** The objects with a value of a field; the first question builds the index for all later ones. */
  having(field: IndexedField, value: string): Iterable<StoredObject> {
    const known = this.#indexes.get(field.name)
    if (known !== undefined) return known.get(value)
    const index = new FieldIndex(field)
    for (const stored of this.#items.range(this.prefix)) index.replace(undefined, stored)
    this.#indexes.set(field.name, index)
    return index.get(value)
  }

  /** The same as `range`, or with a pin the fewer that have its value. */
  candidates(prefix: string, pin: Pin | undefined): readonly StoredObject[] {
    if (pin === undefined) return this.range(prefix)
    if (pin.field === nameOfObject) {
      const named = this.#items.get(prefix + pin.value)
      return named === undefined ? this.range(prefix) : [named]
    }
    return [...this.having(pin.field, pin.value)].filter(({ key }) => key.startsWith(prefix)).toSorted(byKey)
  }

  /** The objects under `prefix`, the resource's or a namespace's; the same array until one of them changes. */
  objects(prefix: string): readonly KubernetesObject[] {
    const known = this.#lists.get(prefix)
    if (known !== undefined) return known
    const list = Object.freeze(this.#items.range(prefix).map((stored) => stored.object))
    this.#lists.set(prefix, list)
    return list
  }

  /** Starts over with the store's content: every watcher must list again. */
  reset(entries: readonly Entry[], revision: number): void {
    this.#watchers.close()
    const stored = entries.map(({ key, modRevision, value }) => new StoredObject(key, modRevision, value, this.#codec))
    this.#items.replaceAll(stored)
    this.#lists.clear()
    this.#indexes.clear()
    this.#history.clear(revision)
    this.#revision = revision
  }

  change(change: ChangeEvent): void {
    const previous = this.#items.get(change.key)
    const { key, revision, value } = change
    const written = value && this.#codec.takeWritten(value, revision)
    const current = value && new StoredObject(key, revision, value, this.#codec, written)
    if (current === undefined) this.#items.delete(change.key)
    else this.#items.set(current)
    this.#revision = change.revision
    if (current === undefined && previous === undefined) return
    this.#lists.delete(this.prefix)
    this.#lists.delete(key.slice(0, key.lastIndexOf('/') + 1))
    const event = new CacheEvent(change.revision, current, previous, this.#codec)
    this.#history.push(event)
    for (const index of this.#indexes.values()) index.replace(previous, current)
    this.#watchers.offer(event)
  }

  /**
   * Opens a watch. With `from`, changes above it that are remembered come first; throws `Expired` when some of them
   * are not remembered any more.
   */
  watch(request: WatchRequest): CacheWatcher {
    const { keyPrefix, matches, pin, from } = request
    if (from !== undefined && from < this.#history.since) throw tooOld(from, this.#history.since)
    const watcher: CacheWatcher = new CacheWatcher({ keyPrefix, matches, from: from ?? 0, onClose: () => remove() })
    const remove = this.#watchers.add(watcher, pin)
    if (from === undefined) watcher.prime(this.#initialEvents(request))
    else {
      const later = this.#history.after(from).filter((event) => event.key.startsWith(keyPrefix))
      watcher.prime(later.map((event) => event.through(matches)).filter((event) => event !== undefined))
    }
    return watcher
  }

  closeWatchers(): void {
    this.#watchers.close()
  }

  #initialEvents({ keyPrefix, matches, pin }: WatchRequest): WireWatchEvent[] {
    const events: WireWatchEvent[] = []
    for (const { object } of this.candidates(keyPrefix, pin))
      if (matches(object)) events.push({ type: 'ADDED', object })
    return events
  }
}

function byKey({ key: left }: StoredObject, { key: right }: StoredObject): number {
  return left < right ? -1 : 1
}

const historyLength = 2_048

/** The 410 of a watch or list that begins before what the server remembers. */
function tooOld(wanted: number, oldest: number): StatusError {
  return new StatusError('Expired', `too old resource version: ${wanted} (${oldest})`)
}
