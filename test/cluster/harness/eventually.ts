import { setTimeout } from 'node:timers/promises'

export interface Patience {
  /** What is waited for, for the message when it does not come. */
  readonly what: string
  readonly timeoutMs?: number
}

/**
 * Looks until `look` returns something, for facts that no watch tells: an answer over the network, a process, a file.
 * What the API knows is waited for with `Cluster.waitFor`. Errors count as "not yet"; the last one becomes the cause.
 */
export async function eventually<T>(
  look: () => Promise<T | undefined> | T | undefined,
  patience: Patience,
): Promise<T> {
  const timeoutMs = patience.timeoutMs ?? 30_000
  const deadlineMs = performance.now() + timeoutMs
  let cause: unknown
  while (performance.now() < deadlineMs) {
    try {
      const seen = await look()
      if (seen !== undefined) return seen
    } catch (error) {
      cause = error
    }
    await setTimeout(50)
  }
  throw new Error(`${patience.what}: not within ${timeoutMs / 1_000} s`, { cause })
}
