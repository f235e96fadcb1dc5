import type { CacheEvent } from './cache-event.ts'
import type { CacheWatcher } from './cache-watcher.ts'
import type { IndexedField } from './field-index.ts'

/** A watch that only sees objects whose field has the value. */
export interface Pin {
  readonly field: IndexedField
  readonly value: string
}

interface PinnedWatchers {
  readonly field: IndexedField
  readonly byValue: Map<string, Set<CacheWatcher>>
}

/**
 * The watchers of one resource. Those pinned to a value of a field hear only of the objects that have it or had it, so
 * that a thousand watches of one object each cost no more than one watch of all.
 */
export class WatcherSet {
  readonly #all = new Set<CacheWatcher>()
  readonly #unpinned = new Set<CacheWatcher>()
  readonly #pinned = new Map<string, PinnedWatchers>()

  get size(): number {
    return this.#all.size
  }

  /** Answers what takes the watcher out again. */
  add(watcher: CacheWatcher, pin: Pin | undefined): () => void {
    const group = pin === undefined ? this.#unpinned : this.#groupOf(pin)
    group.add(watcher)
    this.#all.add(watcher)
    return () => {
      this.#all.delete(watcher)
      group.delete(watcher)
      if (pin !== undefined && group.size === 0) this.#pinned.get(pin.field.name)?.byValue.delete(pin.value)
    }
  }

  offer(event: CacheEvent): void {
    for (const watcher of this.#unpinned) watcher.offer(event)
    for (const { field, byValue } of this.#pinned.values()) {
      if (byValue.size === 0) continue
      for (const value of event.valuesOf(field)) for (const watcher of byValue.get(value) ?? []) watcher.offer(event)
    }
  }

  /** Closes all of them. */
  close(): void {
    for (const watcher of this.#all) watcher.close()
  }

  #groupOf({ field, value }: Pin): Set<CacheWatcher> {
    const { byValue } = this.#pinned.get(field.name) ?? { byValue: new Map<string, Set<CacheWatcher>>() }
    this.#pinned.set(field.name, { field, byValue })
    const group = byValue.get(value) ?? new Set<CacheWatcher>()
    byValue.set(value, group)
    return group
  }
}
