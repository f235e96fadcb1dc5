/** Runs work of one key in turn, in the order it was asked for; work of different keys runs at once. */
export class KeyedTurns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Keys with work under way. */
  get size(): number {
    return this.#last.size
  }

  /** Answers what `work` answers; a failure of the one before does not stop it. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const turn = before === undefined ? work() : before.then(work, work)
    this.#last.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
  }
}
