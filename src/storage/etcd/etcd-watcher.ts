import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import {
  CompactedError,
  SlowWatcherError,
  StoreClosedError,
  StoreUnavailableError,
  type ChangeEvent,
  type WatchOptions,
} from '../store.ts'
import type { EtcdConnection } from './etcd-connection.ts'
import { EtcdError, etcdErrorOf } from './etcd-error.ts'
import type { EtcdView } from './etcd-view.ts'
import { EventBatches } from './event-batches.ts'
import type { WatchResponse } from './generated/etcd_pb.ts'
import type { KeySpace } from './key-space.ts'

export interface WatcherParts {
  readonly connection: EtcdConnection
  readonly space: KeySpace
  readonly view: EtcdView
  readonly clock: Clock
  readonly log: Log
  /** Aborted when the store closes. */
  readonly closing: AbortSignal
}

const firstRetryMs = 50
const lastRetryMs = 2_000

/**
 * One watch of the store. It always follows the whole key space and picks its prefix here: what it has seen last then
 * says how far it is, whichever keys were written, and it resumes from there on another member or after an outage.
 */
export class EtcdWatcher {
  readonly #parts: WatcherParts
  readonly #prefix: string
  readonly #options: WatchOptions
  #revision: number
  #isWaiting = false

  constructor(parts: WatcherParts, prefix: string, options: WatchOptions) {
    this.#parts = parts
    this.#prefix = prefix
    this.#options = options
    this.#revision = options.from
  }

  /** Whether it waits for etcd and has not heard of anything as new as `revision`. */
  isBehind(revision: number): boolean {
    return this.#isWaiting && this.#revision < revision
  }

  async *run(): AsyncGenerator<readonly ChangeEvent[], void, void> {
    const { clock, closing, log } = this.#parts
    const { signal } = this.#options
    const ending = AbortSignal.any([signal, closing])
    for (let retryMs = firstRetryMs; !ending.aborted; retryMs = Math.min(retryMs * 2, lastRetryMs)) {
      try {
        for await (const events of this.#follow(ending)) {
          retryMs = firstRetryMs
          if (events.length > 0) yield events
        }
      } catch (error) {
        if (ending.aborted) break
        if (!isPassing(error)) throw error
        log.warn('The watch on etcd broke, resuming it', { revision: this.#revision, error: (error as Error).message })
        await clock.sleep(retryMs, ending).catch(() => undefined)
      }
    }
    if (!signal.aborted) throw new StoreClosedError()
  }

  /** One stream, from where the watcher is. */
  async *#follow(ending: AbortSignal): AsyncGenerator<readonly ChangeEvent[], void, void> {
    const { connection, space } = this.#parts
    this.#checkPlace()
    const from = this.#revision
    // From the revision seen last and not from the next one: etcd then refuses exactly if something in between is gone.
    const request = { ...space.whole, startRevision: BigInt(from), progressNotify: true, prevKv: true, fragment: true }
    const batches = new EventBatches(space, this.#prefix, from)
    try {
      this.#isWaiting = true
      for await (const response of connection.watch(request, ending)) {
        this.#isWaiting = false
        this.#checkAnswer(response)
        const { events, through } = batches.take(response)
        // A watch may begin in the future: that alone says nothing about etcd.
        if (through > this.#revision) this.#parts.view.saw(through)
        yield events
        if (through > this.#revision) this.#advance(through)
        if (events.length > 0) this.#checkPlace()
        this.#isWaiting = true
      }
    } finally {
      this.#isWaiting = false
    }
  }

  #advance(revision: number): void {
    this.#revision = revision
    this.#options.onProgress?.(revision)
  }

  #checkAnswer({ canceled, compactRevision, cancelReason }: WatchResponse): void {
    if (!canceled) return
    if (compactRevision > 0n) {
      this.#parts.view.sawCompacted(compactRevision)
      this.#checkPlace()
    }
    throw etcdErrorOf({ code: statusUnavailable, details: cancelReason, message: 'etcd ended the watch' })
  }

  #checkPlace(): void {
    const { compactedRevision } = this.#parts.view
    if (this.#revision >= compactedRevision) return
    if (this.#revision > this.#options.from) throw new SlowWatcherError(this.#prefix)
    throw new CompactedError(this.#revision, compactedRevision)
  }
}

const statusUnavailable = 14

function isPassing(error: unknown): boolean {
  return error instanceof StoreUnavailableError || (error instanceof EtcdError && error.isPassing)
}
