import { StoreClosedError, type ChangeEvent, type Entry, type Store } from '#storage/store.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'

/** Receives the store's content, then every change, in order. */
export interface FeedConsumer {
  /** The whole content at a revision: at the start, and again after the feed lost its place. */
  reset(entries: readonly Entry[], revision: number): void
  change(event: ChangeEvent): void
}

export interface StoreFeedOptions {
  readonly store: Store
  readonly prefix: string
  readonly consumer: FeedConsumer
  readonly clock: Clock
  readonly log: Log
}

/**
 * The one watch on the store that all watch caches live on. One feed for everything, because its position then is the
 * position of every cache: "has the cache seen revision N?" has one answer, also for resources that did not change.
 */
export class StoreFeed {
  readonly #options: StoreFeedOptions
  readonly #abort = new AbortController()
  #waiting: { readonly revision: number; readonly wake: () => void }[] = []
  #revision = 0
  #hasFailed = false
  #running: Promise<void> | undefined

  constructor(options: StoreFeedOptions) {
    this.#options = options
  }

  /** Everything up to this revision has been handed to the consumer. */
  get revision(): number {
    return this.#revision
  }

  /** Whether the feed has ended for good: the store was closed or its medium failed. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Whether a read now sees every commit acknowledged before, as far as can be said without asking anyone. */
  get isCurrent(): boolean {
    const { store } = this.#options
    return store.currentRevision === undefined && this.#revision >= store.revision()
  }

  /** Reads the store's content and follows it from there. Resolves when the content is in. */
  async start(): Promise<void> {
    await this.#load()
    this.#running = this.#follow()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  /** Resolves once the consumer has seen `revision`; rejects with the signal's reason. */
  reached(revision: number, signal?: AbortSignal): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve()
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      this.#waiting = this.#waiting.filter((waiter) => waiter.wake !== wake)
      reject(signal?.reason as Error)
    }
    const wake = (): void => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#waiting.push({ revision, wake })
    return promise
  }

  /** Resolves once reads see every commit acknowledged before the call. */
  current(signal?: AbortSignal): Promise<void> {
    const { store } = this.#options
    if (store.currentRevision === undefined) return this.reached(store.revision(), signal)
    return store.currentRevision().then((revision) => this.reached(revision, signal))
  }

  async #load(): Promise<void> {
    const { entries, revision } = await this.#options.store.list(this.#options.prefix)
    this.#options.consumer.reset(entries, revision)
    this.#advance(revision)
  }

  async #follow(): Promise<void> {
    const { store, prefix, consumer, clock, log } = this.#options
    const signal = this.#abort.signal
    const onProgress = (revision: number): void => this.#advance(revision)
    while (!signal.aborted) {
      try {
        for await (const events of store.watch(prefix, { from: this.#revision, signal, onProgress })) {
          for (const event of events) consumer.change(event)
          const last = events.at(-1)
          if (last !== undefined) this.#advance(last.revision)
        }
      } catch (error) {
        this.#hasFailed = error instanceof StoreClosedError
        if (signal.aborted || this.#hasFailed) return
        log.warn('lost the watch on the store, reading it again', { error })
        await clock.sleep(retryDelayMs, signal).catch(() => undefined)
        if (!signal.aborted) await this.#load().catch((cause: unknown) => log.error('cannot read the store', { cause }))
      }
    }
  }

  #advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision)
    if (this.#waiting.length === 0) return
    const due = this.#waiting.filter((waiter) => waiter.revision <= this.#revision)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter((waiter) => waiter.revision > this.#revision)
    for (const waiter of due) waiter.wake()
  }
}

const retryDelayMs = 100
