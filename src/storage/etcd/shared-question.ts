/**
 * Asks one question for all who want to know the answer: a caller gets the answer to a question that was put after it
 * came. At most one is under way, and one more waits for it to end.
 */
export class SharedQuestion<T> {
  readonly #put: () => Promise<T>
  #underWay: Promise<unknown> | undefined
  #next: Promise<T> | undefined

  constructor(put: () => Promise<T>) {
    this.#put = put
  }

  ask(): Promise<T> {
    if (this.#underWay === undefined) return this.#start()
    return (this.#next ??= this.#underWay.then(() => this.#start()))
  }

  #start(): Promise<T> {
    this.#next = undefined
    const answer = this.#put()
    const ended: Promise<void> = answer.then(
      () => this.#end(ended),
      () => this.#end(ended),
    )
    this.#underWay = ended
    return answer
  }

  #end(ended: Promise<unknown>): void {
    if (this.#underWay === ended && this.#next === undefined) this.#underWay = undefined
  }
}
