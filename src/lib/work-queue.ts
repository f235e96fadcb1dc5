import { backoffMs, type BackoffOptions } from './backoff.ts'
import type { Clock, Timer } from './clock.ts'
import { Heap } from './heap.ts'

export interface WorkQueueOptions {
  readonly clock: Clock
  /** Keys worked on at once. */
  readonly concurrency: number
  /** Does the work of one key; must not reject. */
  readonly work: (key: string) => Promise<void>
  /** Told of what happens in the queue. */
  readonly observer?: WorkQueueObserver
  /** Delays of `retry`; default 5 ms doubling up to 1000 s. */
  readonly backoff?: BackoffOptions
}

export interface WorkQueueObserver {
  added(): void
  retried(): void
  /** Work on a key starts that waited for so long. */
  started(waitedMs: number): void
}

interface Delayed {
  readonly key: string
  readonly dueMs: number
}

/**
 * A queue of keys that works them off itself: a key waits at most once however often it is added, is never worked on
 * twice at the same time, and is worked on again if it was added meanwhile. The number of distinct keys bounds it.
 * Work starts in a later turn of the event loop, so that the events of one turn become one piece of work.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  /** Keys, and since when they wait; those of `active`, since when they are worked on. */
  readonly #ready = new Map<string, number>()
  readonly #active = new Map<string, number>()
  readonly #again = new Map<string, number>()
  readonly #failures = new Map<string, number>()
  readonly #delayed = new Heap<Delayed>((a, b) => a.dueMs < b.dueMs)
  readonly #dueMs = new Map<string, number>()
  #timer: Timer | undefined
  #timerDueMs = Infinity
  #pumping = false
  #state: 'held' | 'running' | 'stopped' = 'held'
  #idle = Promise.withResolvers<void>()

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /** Keys that wait to be worked on now, without the delayed ones. */
  get depth(): number {
    return this.#ready.size + this.#again.size
  }

  get active(): number {
    return this.#active.size
  }

  /** How long each key that is worked on has been. */
  activeMs(): readonly number[] {
    const nowMs = this.#options.clock.monotonic()
    return [...this.#active.values()].map((sinceMs) => nowMs - sinceMs)
  }

  /** Keys are only collected before. */
  start(): void {
    if (this.#state !== 'held') return
    this.#state = 'running'
    this.#pumpSoon()
  }

  add(key: string): void {
    if (this.#state === 'stopped') return
    this.#options.observer?.added()
    const waiting = this.#active.has(key) ? this.#again : this.#ready
    if (!waiting.has(key)) waiting.set(key, this.#options.clock.monotonic())
    this.#pumpSoon()
  }

  /** Adds the key in `delayMs`, or earlier if an earlier delay of it is pending. */
  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) return this.add(key)
    if (this.#state === 'stopped') return
    const dueMs = this.#options.clock.monotonic() + delayMs
    if ((this.#dueMs.get(key) ?? Infinity) <= dueMs) return
    this.#dueMs.set(key, dueMs)
    this.#delayed.push({ key, dueMs })
    this.#arm()
  }

  /** Adds the key after a delay that grows with each call until `forget`. The number of tries that have failed. */
  retry(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1
    this.#failures.set(key, failures)
    this.#options.observer?.retried()
    this.addAfter(key, backoffMs(this.#options.backoff ?? defaultBackoff, failures))
    return failures
  }

  /** The work of the key succeeded: its backoff starts over. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Takes no more keys, and resolves when the work under way has ended. */
  async stop(): Promise<void> {
    this.#state = 'stopped'
    this.#timer?.cancel()
    this.#ready.clear()
    this.#again.clear()
    this.#delayed.clear()
    this.#dueMs.clear()
    if (this.#active.size > 0) await this.#idle.promise
  }

  #pumpSoon(): void {
    if (this.#pumping || this.#state !== 'running' || this.#ready.size === 0) return
    this.#pumping = true
    setImmediate(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  #pump(): void {
    for (const [key, sinceMs] of this.#ready) {
      if (this.#state !== 'running' || this.#active.size >= this.#options.concurrency) return
      this.#ready.delete(key)
      const nowMs = this.#options.clock.monotonic()
      this.#active.set(key, nowMs)
      this.#options.observer?.started(nowMs - sinceMs)
      void this.#options.work(key).finally(() => this.#done(key))
    }
  }

  #done(key: string): void {
    this.#active.delete(key)
    const sinceMs = this.#again.get(key)
    if (sinceMs !== undefined) {
      this.#again.delete(key)
      this.#ready.set(key, sinceMs)
    }
    if (this.#state === 'stopped' && this.#active.size === 0) this.#idle.resolve()
    this.#pumpSoon()
  }

  #arm(): void {
    const next = this.#delayed.peek()
    if (next === undefined || next.dueMs >= this.#timerDueMs) return
    this.#timer?.cancel()
    this.#timerDueMs = next.dueMs
    this.#timer = this.#options.clock.schedule(next.dueMs - this.#options.clock.monotonic(), () => this.#release())
  }

  #release(): void {
    this.#timerDueMs = Infinity
    const nowMs = this.#options.clock.monotonic()
    for (let next = this.#delayed.peek(); next !== undefined && next.dueMs <= nowMs; next = this.#delayed.peek()) {
      this.#delayed.pop()
      // An entry that an earlier one has overtaken is stale.
      if (this.#dueMs.get(next.key) !== next.dueMs) continue
      this.#dueMs.delete(next.key)
      this.add(next.key)
    }
    this.#arm()
  }
}

const defaultBackoff: BackoffOptions = { initialMs: 5, maxMs: 1_000_000 }
