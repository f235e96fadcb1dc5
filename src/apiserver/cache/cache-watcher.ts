import type { WireWatchEvent } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { CacheEvent } from './cache-event.ts'

export interface CacheWatcherOptions {
  /** Keys must start with this. */
  readonly keyPrefix: string
  readonly matches: (object: KubernetesObject) => boolean
  /** Changes up to this revision are not shown: a watch may begin in the future. */
  readonly from: number
  readonly onClose: (watcher: CacheWatcher) => void
}

/**
 * One client's watch: a bounded queue between the cache and the client's socket. A client that falls more than
 * `capacity` events behind is cut off; it resumes from the last resourceVersion it saw, or is told 410 and lists again.
 */
export class CacheWatcher implements AsyncIterable<WireWatchEvent> {
  static readonly capacity = 4_096
  readonly #options: CacheWatcherOptions
  #queue: WireWatchEvent[] = []
  #wake: (() => void) | undefined
  #closed = false
  readonly #onClosed: (() => void)[] = []
  /** How many of the queued events are the initial state, which does not count towards the bound. */
  #primed = 0

  constructor(options: CacheWatcherOptions) {
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Offers a change; drops it if the watcher's selector does not see it. */
  offer(event: CacheEvent): void {
    if (this.#closed || event.revision <= this.#options.from || !event.key.startsWith(this.#options.keyPrefix)) return
    const seen = event.through(this.#options.matches)
    if (seen !== undefined) this.push(seen)
  }

  /** Queues an event as it is. */
  push(event: WireWatchEvent): void {
    if (this.#closed) return
    if (this.#queue.length - this.#primed >= CacheWatcher.capacity) return this.close()
    this.#queue.push(event)
    this.#signal()
  }

  /** Queues the state a watch begins with, which may be longer than the bound for changes. */
  prime(events: readonly WireWatchEvent[]): void {
    this.#queue = this.#queue.concat(events)
    this.#primed += events.length
    this.#signal()
  }

  /** No more events; those queued are still delivered. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#options.onClose(this)
    for (const callback of this.#onClosed) callback()
    this.#signal()
  }

  /** Calls `callback` when the watch closes, at once if it has. */
  onClosed(callback: () => void): void {
    if (this.#closed) callback()
    else this.#onClosed.push(callback)
  }

  /** The events since the last call, or undefined when the watch has ended. Waits for at least one. */
  async takeAll(): Promise<readonly WireWatchEvent[] | undefined> {
    while (this.#queue.length === 0) {
      if (this.#closed) return undefined
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const taken = this.#queue
    this.#queue = []
    this.#primed = 0
    return taken
  }

  async *[Symbol.asyncIterator](): AsyncIterator<WireWatchEvent> {
    try {
      for (let events = await this.takeAll(); events !== undefined; events = await this.takeAll())
        for (const event of events) yield event
    } finally {
      this.close()
    }
  }

  #signal(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
