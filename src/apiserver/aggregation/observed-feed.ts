import type { ChangeEvent, Entry } from '#storage/store.ts'
import type { FeedConsumer } from '../cache/store-feed.ts'

/** Lets somebody know of each change of the store once the caches and the resource table have it. */
export class ObservedFeed implements FeedConsumer {
  readonly #inner: FeedConsumer
  #observe: (event: ChangeEvent | 'reset') => void = () => undefined

  constructor(inner: FeedConsumer) {
    this.#inner = inner
  }

  observe(observe: (event: ChangeEvent | 'reset') => void): void {
    this.#observe = observe
  }

  reset(entries: readonly Entry[], revision: number): void {
    this.#inner.reset(entries, revision)
    this.#observe('reset')
  }

  change(event: ChangeEvent): void {
    this.#inner.change(event)
    this.#observe(event)
  }
}
