import type { CacheEvent } from './cache-event.ts'

/** The latest changes of a resource, so that a client whose connection broke can go on where it was. */
export class EventHistory {
  readonly #capacity: number
  readonly #ring: CacheEvent[] = []
  #oldest = 0
  #since = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Every change above this revision is remembered. */
  get since(): number {
    return this.#since
  }

  /** Forgets all: what happened up to `revision` is unknown. */
  clear(revision: number): void {
    this.#ring.length = 0
    this.#oldest = 0
    this.#since = revision
  }

  push(event: CacheEvent): void {
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(event)
      return
    }
    const forgotten = this.#ring[this.#oldest]
    if (forgotten !== undefined) this.#since = forgotten.revision
    this.#ring[this.#oldest] = event
    this.#oldest = (this.#oldest + 1) % this.#capacity
  }

  /** Changes above `revision`, oldest first. */
  after(revision: number): CacheEvent[] {
    const events: CacheEvent[] = []
    for (let back = 1; back <= this.#ring.length; back++) {
      const event = this.#ring[(this.#oldest + this.#ring.length - back) % this.#ring.length]
      if (event === undefined || event.revision <= revision) break
      events.push(event)
    }
    return events.reverse()
  }
}
