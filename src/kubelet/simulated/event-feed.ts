/** What one follower may leave unread before it is told to look at everything instead. */
const maximumPending = 10_000

/** Hands events to everybody who follows at the time. */
export class EventFeed<T extends object> {
  readonly #followers = new Set<(event: T) => void>()

  push(event: T): void {
    for (const follower of this.#followers) follower(event)
  }

  /** Follows from this call on until the signal aborts. Throws when the follower has fallen too far behind. */
  follow(signal: AbortSignal): AsyncIterable<T> {
    const pending: T[] = []
    let isOverflowing = false
    let wake = Promise.withResolvers<void>()
    const follower = (event: T): void => {
      if (pending.length < maximumPending) pending.push(event)
      else isOverflowing = true
      wake.resolve()
    }
    this.#followers.add(follower)
    const onAbort = (): void => {
      this.#followers.delete(follower)
      wake.resolve()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    return (async function* read(): AsyncGenerator<T> {
      while (!signal.aborted) {
        await wake.promise
        wake = Promise.withResolvers<void>()
        yield* pending.splice(0)
        if (isOverflowing) throw new Error('events were lost: look at everything again')
      }
    })()
  }
}
