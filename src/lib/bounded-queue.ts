/**
 * A first-in-first-out queue between a producer that never waits and one consumer that iterates. It holds at most
 * `limit` items; what happens beyond that is the producer's to say.
 *
 *     const pending = new BoundedQueue<Event>(1_000, { whenFull: () => watcher.expire() })
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #limit: number
  readonly #whenFull: (item: T) => void
  #items: T[] = []
  #head = 0
  #closed = false
  #wake: (() => void) | undefined

  /** `whenFull` gets the item that found no place; default: it is dropped. */
  constructor(limit: number, options: { readonly whenFull?: (item: T) => void } = {}) {
    this.#limit = limit
    this.#whenFull = options.whenFull ?? (() => undefined)
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  /** Whether the item was taken. Nothing is taken after `close`. */
  push(item: T): boolean {
    if (this.#closed) return false
    if (this.size >= this.#limit) {
      this.#whenFull(item)
      return false
    }
    this.#items.push(item)
    this.#wakeConsumer()
    return true
  }

  /** The oldest item, removed; undefined when empty. */
  shift(): T | undefined {
    if (this.size === 0) return undefined
    const item = this.#items[this.#head] as T
    this.#items[this.#head] = undefined as T
    this.#head++
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** No more items come; iteration ends after those already taken. */
  close(): void {
    this.#closed = true
    this.#wakeConsumer()
  }

  /** Only one iteration at a time. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      while (this.size > 0) yield this.shift() as T
      if (this.#closed) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #wakeConsumer(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
