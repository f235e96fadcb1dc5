import type { KubernetesObject } from '#api/meta/resource.ts'
import type { WireWatchEvent } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { ChangeEvent, Entry } from '#storage/store.ts'
import { CacheEvent } from './cache-event.ts'
import { CacheWatcher } from './cache-watcher.ts'
import { EventHistory } from './event-history.ts'
import type { ObjectCodec } from './object-codec.ts'
import { SortedByKey } from './sorted-by-key.ts'
import { StoredObject } from './stored-object.ts'

export interface WatchRequest {
  readonly keyPrefix: string
  readonly matches: (object: KubernetesObject) => boolean
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
  readonly #watchers = new Set<CacheWatcher>()
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
    for (const watcher of this.#watchers) watcher.close()
    const stored = entries.map(({ key, modRevision, value }) => new StoredObject(key, modRevision, value, this.#codec))
    this.#items.replaceAll(stored)
    this.#lists.clear()
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
    for (const watcher of this.#watchers) watcher.offer(event)
  }

  /**
   * Opens a watch. With `from`, changes above it that are remembered come first; throws `Expired` when some of them
   * are not remembered any more.
   */
  watch(request: WatchRequest): CacheWatcher {
    const { keyPrefix, matches, from } = request
    if (from !== undefined && from < this.#history.since) throw tooOld(from, this.#history.since)
    const onClose = (closed: CacheWatcher): void => void this.#watchers.delete(closed)
    const watcher = new CacheWatcher({ keyPrefix, matches, from: from ?? 0, onClose })
    this.#watchers.add(watcher)
    if (from === undefined) watcher.prime(this.#initialEvents(keyPrefix, matches))
    else {
      const later = this.#history.after(from).filter((event) => event.key.startsWith(keyPrefix))
      watcher.prime(later.map((event) => event.through(matches)).filter((event) => event !== undefined))
    }
    return watcher
  }

  closeWatchers(): void {
    for (const watcher of this.#watchers) watcher.close()
  }

  #initialEvents(prefix: string, matches: (object: KubernetesObject) => boolean): WireWatchEvent[] {
    const events: WireWatchEvent[] = []
    for (const { object } of this.#items.range(prefix)) if (matches(object)) events.push({ type: 'ADDED', object })
    return events
  }
}

const historyLength = 2_048

/** The 410 of a watch or list that begins before what the server remembers. */
function tooOld(wanted: number, oldest: number): StatusError {
  return new StatusError('Expired', `too old resource version: ${wanted} (${oldest})`)
}
