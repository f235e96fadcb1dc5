import type { Clock, Timer } from '#lib/clock.ts'

/** One timer that fires at the earliest of the times asked for since it was cleared. */
export class WakeTimer {
  readonly #clock: Clock
  readonly #onWake: () => void
  #timer: Timer | undefined
  #dueMs = Infinity

  constructor(clock: Clock, onWake: () => void) {
    this.#clock = clock
    this.#onWake = onWake
  }

  at(timeMs: number): void {
    if (timeMs >= this.#dueMs) return
    this.#timer?.cancel()
    this.#dueMs = timeMs
    this.#timer = this.#clock.schedule(Math.max(0, timeMs - this.#clock.now()), () => {
      this.clear()
      this.#onWake()
    })
  }

  in(delayMs: number): void {
    this.at(this.#clock.now() + delayMs)
  }

  clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#dueMs = Infinity
  }
}
