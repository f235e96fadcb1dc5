import type { Clock } from '#lib/clock.ts'
import { LruMap } from '#lib/lru-map.ts'

interface Kept<Answer> {
  readonly answer: Answer
  readonly untilMs: number
}

const mostAnswers = 2_000

/** Remembers answers for a while; how long depends on the answer. A question that fails is asked again. */
export class AnswerCache<Answer> {
  readonly #clock: Clock
  readonly #lifetimeMs: (answer: Answer) => number
  readonly #kept = new LruMap<string, Kept<Answer>>(mostAnswers)

  constructor(clock: Clock, lifetimeMs: (answer: Answer) => number) {
    this.#clock = clock
    this.#lifetimeMs = lifetimeMs
  }

  async get(key: string, ask: () => Promise<Answer>): Promise<Answer> {
    const kept = this.#kept.get(key)
    if (kept !== undefined && this.#clock.monotonic() < kept.untilMs) return kept.answer
    const answer = await ask()
    this.#kept.set(key, { answer, untilMs: this.#clock.monotonic() + this.#lifetimeMs(answer) })
    return answer
  }
}
