import type { Random } from './random.ts'

export interface BackoffOptions {
  readonly initialMs: number
  readonly maxMs: number
  /** What each failure multiplies the delay by; default 2. */
  readonly factor?: number
  /** The delay is stretched by up to this share of itself, by chance; default 0. */
  readonly jitter?: number
}

/** The delay before try number `failures + 1`, after `failures` (1 or more) tries have failed. */
export function backoffMs(options: BackoffOptions, failures: number, random?: Random): number {
  const grown = options.initialMs * (options.factor ?? 2) ** (failures - 1)
  const capped = Math.min(grown, options.maxMs)
  return random === undefined ? capped : capped * (1 + (options.jitter ?? 0) * random.next())
}

/** Counts the failures in a row of one thing and says how long to wait. */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: Random
  #failures = 0

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options
    this.#random = random
  }

  /** Counts one more failure; the delay before the next try. */
  nextMs(): number {
    this.#failures++
    return backoffMs(this.#options, this.#failures, this.#random)
  }

  /** It worked: the next failure is the first again. */
  reset(): void {
    this.#failures = 0
  }
}
