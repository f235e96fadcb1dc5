import type { Clock } from './clock.ts'

export interface PaceSettings {
  /** Averaged. */
  readonly perSecond: number
  /** How many may come at once after a pause. */
  readonly burst: number
}

/** Lets things happen only so often: a bucket of tokens that fills again. */
export class Pace {
  readonly #clock: Clock
  readonly #settings: PaceSettings
  #allowed: number
  #countedMs: number

  constructor(clock: Clock, settings: PaceSettings) {
    this.#clock = clock
    this.#settings = settings
    this.#allowed = settings.burst
    this.#countedMs = clock.monotonic()
  }

  /** Resolves when it is one's turn, in the order of asking; `undefined`: now. The signal ends the waiting, not the turn. */
  turn(signal?: AbortSignal): Promise<void> | undefined {
    const { perSecond, burst } = this.#settings
    const nowMs = this.#clock.monotonic()
    this.#allowed = Math.min(burst, this.#allowed + ((nowMs - this.#countedMs) * perSecond) / 1_000)
    this.#countedMs = nowMs
    this.#allowed--
    if (this.#allowed >= 0 || signal?.aborted) return undefined
    return this.#clock.sleep((-this.#allowed * 1_000) / perSecond, signal).catch(() => undefined)
  }
}
