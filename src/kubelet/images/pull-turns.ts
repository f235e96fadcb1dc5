import type { Clock } from '#lib/clock.ts'
import type { PullSettings } from '../configuration/kubelet-settings.ts'

/** Lets only so many pulls run at once, and only so many begin in a while. */
export class PullTurns {
  readonly #settings: PullSettings
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #running = 0
  #tokens: number
  #filledMs: number

  constructor(settings: PullSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#tokens = settings.burst
    this.#filledMs = clock.monotonic()
  }

  /** Runs the pull when its turn comes. Rejects at once where pulls begin too often: it is tried again later. */
  async run<Result>(pull: () => Promise<Result>): Promise<Result> {
    this.#takeToken()
    if (this.#running >= this.#settings.atOnce) {
      const turn = Promise.withResolvers<void>()
      this.#waiting.push(turn.resolve)
      await turn.promise
    } else this.#running++
    try {
      return await pull()
    } finally {
      // The turn goes to the next in line, which keeps the count as it is.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }

  #takeToken(): void {
    const { perSecond, burst } = this.#settings
    if (perSecond === 0) return
    const nowMs = this.#clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledMs) / 1000) * perSecond)
    this.#filledMs = nowMs
    if (this.#tokens < 1) throw new Error('pull QPS exceeded')
    this.#tokens--
  }
}
