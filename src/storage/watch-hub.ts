import type { Mvcc } from './mvcc.ts'
import { CompactedError, SlowWatcherError, type ChangeEvent, type WatchOptions } from './store.ts'

interface Waiter {
  readonly prefix: string
  /** Everything up to here is seen, or is none of the watcher's business. */
  cursor: number
  wake(): void
  readonly onProgress: WatchOptions['onProgress']
}

/** A batch grows to this many events before it is handed over. */
const maxBatchLength = 1000

/**
 * Serves all watchers from the one log of commits: a watcher is a cursor into it and buffers nothing itself. What a
 * slow watcher costs is therefore bounded by the history the store keeps; once compaction passes its cursor it is cut
 * off with `SlowWatcherError`. A watcher that waits for events under its prefix is always up to date.
 */
export class WatchHub {
  readonly #mvcc: Mvcc
  readonly #waiters = new Set<Waiter>()
  #closed: Error | undefined

  constructor(mvcc: Mvcc) {
    this.#mvcc = mvcc
  }

  /** Wakes the watchers that the newest commits concern. To be called after each `apply`, or after a row of them. */
  publish(): void {
    for (const waiter of this.#waiters) {
      if (this.#mvcc.hasChanges(waiter.prefix, waiter.cursor)) this.#wake(waiter)
      else this.#pass(waiter)
    }
  }

  /** Ends all watchers with `error`. */
  close(error: Error): void {
    this.#closed = error
    for (const waiter of this.#waiters) this.#wake(waiter)
  }

  async *watch(prefix: string, options: WatchOptions): AsyncGenerator<readonly ChangeEvent[], void, void> {
    const { from, signal, onProgress } = options
    let waiter: Waiter | undefined
    const onAbort = (): void => waiter && this.#wake(waiter)
    signal.addEventListener('abort', onAbort)
    try {
      for (let cursor = from; !signal.aborted;) {
        if (this.#closed) throw this.#closed
        const { events, through } = this.#changes(prefix, cursor, from)
        cursor = through
        if (events.length > 0) {
          yield events
        } else {
          const { promise, resolve } = Promise.withResolvers<void>()
          waiter = { prefix, cursor, wake: resolve, onProgress }
          onProgress?.(Math.min(cursor, this.#mvcc.revision))
          this.#waiters.add(waiter)
          await promise
          cursor = waiter.cursor
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** The newest commits are none of the waiter's business. */
  #pass(waiter: Waiter): void {
    waiter.cursor = Math.max(waiter.cursor, this.#mvcc.revision)
    waiter.onProgress?.(this.#mvcc.revision)
  }

  // A woken waiter is out of date until its loop runs again, so it must not be asked about news meanwhile.
  #wake(waiter: Waiter): void {
    this.#waiters.delete(waiter)
    waiter.wake()
  }

  #changes(prefix: string, cursor: number, from: number): ReturnType<Mvcc['changes']> {
    try {
      return this.#mvcc.changes(prefix, cursor, maxBatchLength)
    } catch (error) {
      throw error instanceof CompactedError && cursor > from ? new SlowWatcherError(prefix) : error
    }
  }
}
