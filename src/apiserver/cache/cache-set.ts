import type { ChangeEvent, Entry } from '#storage/store.ts'
import type { FeedConsumer } from './store-feed.ts'
import type { ObjectCodec } from './object-codec.ts'
import { WatchCache } from './watch-cache.ts'

/** All watch caches, by the key prefix of their resource (`/registry/apps/deployments/`). */
export class CacheSet implements FeedConsumer {
  readonly #caches = new Map<string, WatchCache>()
  readonly #codec: ObjectCodec
  #baseRevision = 0

  constructor(codec: ObjectCodec) {
    this.#codec = codec
  }

  /** The cache of a resource; empty if the store holds nothing of it. */
  of(prefix: string): WatchCache {
    const known = this.#caches.get(prefix)
    if (known !== undefined) return known
    const cache = new WatchCache(prefix, this.#codec)
    cache.reset([], this.#baseRevision)
    this.#caches.set(prefix, cache)
    return cache
  }

  all(): Iterable<WatchCache> {
    return this.#caches.values()
  }

  reset(entries: readonly Entry[], revision: number): void {
    this.#baseRevision = revision
    const byPrefix = Map.groupBy(entries, (entry) => resourcePrefixOf(entry.key))
    for (const prefix of byPrefix.keys()) this.of(prefix)
    for (const cache of this.#caches.values()) cache.reset(byPrefix.get(cache.prefix) ?? [], revision)
  }

  change(event: ChangeEvent): void {
    this.of(resourcePrefixOf(event.key)).change(event)
  }

  closeWatchers(): void {
    for (const cache of this.#caches.values()) cache.closeWatchers()
  }
}

/** `/registry/apps/deployments/` of `/registry/apps/deployments/default/web`. */
function resourcePrefixOf(key: string): string {
  let end = 0
  for (let slashes = 0; slashes < 3; slashes++) end = key.indexOf('/', end + 1)
  return key.slice(0, end + 1)
}
