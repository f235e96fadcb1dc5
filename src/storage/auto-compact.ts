import type { Clock, Timer } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { SlowWatcherError, StoreClosedError, type ChangeEvent, type Store } from './store.ts'

export interface AutoCompactOptions {
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** History older than this goes. Default: 5 minutes. */
  readonly keepMs?: number
  /** History further back than this many revisions goes, however young. Default: 20,000. */
  readonly keepRevisions?: number
  /** History goes once the values it replaced add up to this, however young. Default: 64 MiB. */
  readonly keepBytes?: number
}

/**
 * Bounds the history that a store keeps by time, by revisions and by size, whichever is reached first; each bound may
 * be exceeded by an eighth. Works while there is history and rests when there is none. Resolves when the signal
 * aborts or the store closes.
 */
export async function autoCompact(store: Store, options: AutoCompactOptions): Promise<void> {
  const keeper = new HistoryKeeper(store, options)
  while (!options.signal.aborted) {
    try {
      for await (const events of store.watch('', { from: store.revision(), signal: options.signal })) {
        keeper.count(events)
        await keeper.enforce()
      }
    } catch (error) {
      // Someone else compacted past us: nothing is lost, the next mark counts from the newest revision.
      if (error instanceof SlowWatcherError) continue
      if (!(error instanceof StoreClosedError)) options.log.error('Compaction stopped', { error })
      break
    }
  }
  keeper.stop()
}

/** A point in history: at `timeMs` the newest revision was `revision`, and `bytes` had been replaced so far. */
interface Mark {
  readonly revision: number
  readonly timeMs: number
  readonly bytes: number
}

/** What remembering a version costs beside its value. */
const versionOverheadBytes = 300
const marksPerBound = 8

class HistoryKeeper {
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Log
  readonly #keepMs: number
  readonly #keepRevisions: number
  readonly #keepBytes: number
  /** Ascending. Everything up to the first mark that broke a bound is compacted with it. */
  #marks: Mark[]
  #tip: Mark
  #timer: Timer | undefined

  constructor(store: Store, options: AutoCompactOptions) {
    this.#store = store
    this.#clock = options.clock
    this.#log = options.log
    this.#keepMs = options.keepMs ?? 300_000
    this.#keepRevisions = options.keepRevisions ?? 20_000
    this.#keepBytes = options.keepBytes ?? 64 << 20
    this.#tip = { revision: store.revision(), timeMs: this.#clock.monotonic(), bytes: 0 }
    this.#marks = [this.#tip]
    this.#arm()
  }

  count(events: readonly ChangeEvent[]): void {
    const newest = events.at(-1)
    if (!newest) return
    let { bytes } = this.#tip
    for (const { previous } of events) bytes += (previous?.value.length ?? 0) + versionOverheadBytes
    const tip = { revision: newest.revision, timeMs: this.#clock.monotonic(), bytes }
    const last = this.#marks.at(-1)
    if (!last) this.#marks.push(tip)
    else if (this.#usage(last, tip) > 1 / marksPerBound) this.#markTip()
    this.#tip = tip
    if (!this.#timer) this.#arm()
  }

  /** Compacts what is beyond a bound. */
  async enforce(): Promise<void> {
    const now = { ...this.#tip, timeMs: this.#clock.monotonic() }
    const kept = this.#marks.findIndex((mark) => this.#usage(mark, now) < 1)
    const beyond = this.#marks.splice(0, kept === -1 ? this.#marks.length : kept).at(-1)
    if (beyond && beyond.revision > this.#store.compactedRevision()) await this.#store.compact(beyond.revision)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** How much of a bound the history between two marks uses: 1 is all of it. */
  #usage(from: Mark, to: Mark): number {
    return Math.max(
      (to.timeMs - from.timeMs) / this.#keepMs,
      (to.revision - from.revision) / this.#keepRevisions,
      (to.bytes - from.bytes) / this.#keepBytes,
    )
  }

  #markTip(): void {
    const last = this.#marks.at(-1)
    if (last && last.revision < this.#tip.revision) this.#marks.push(this.#tip)
  }

  #arm(): void {
    const oldest = this.#marks[0]
    if (!oldest) return
    const delayMs = Math.max(oldest.timeMs + this.#keepMs - this.#clock.monotonic(), this.#keepMs / marksPerBound)
    this.#timer = this.#clock.schedule(delayMs, () => void this.#onTimer())
  }

  async #onTimer(): Promise<void> {
    this.#timer = undefined
    this.#markTip()
    try {
      await this.enforce()
      if (!this.#timer) this.#arm()
    } catch (error) {
      if (!(error instanceof StoreClosedError)) this.#log.error('Compaction failed', { error })
    }
  }
}
