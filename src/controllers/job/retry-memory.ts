import type { Pod } from '#api/types/core.v1.ts'
import { backoffMs } from '#lib/backoff.ts'
import type { Clock } from '#lib/clock.ts'
import { LruMap } from '#lib/lru-map.ts'
import { endedAtMs } from './index-failures.ts'
import type { Tally } from './tally.ts'

const failureBackoff = { initialMs: 10_000, maxMs: 600_000 }

interface Failures {
  readonly count: number
  readonly lastMs: number
}

/**
 * How often the pods of a job failed in a row, and when the last one did: new ones wait longer and longer. What a
 * restart forgets is learned again from the pods that are still there.
 */
export class RetryMemory {
  readonly #failures = new LruMap<string, Failures>(10_000)

  note(jobUid: string, pods: readonly Pod[], { newlyFailed, newlySucceeded }: Tally): void {
    const fresh = new Set([...newlyFailed, ...newlySucceeded])
    const known =
      this.#failures.get(jobUid) ??
      failuresInARow(
        [],
        pods.filter((pod) => !fresh.has(pod)),
      )
    const now = failuresInARow(
      newlySucceeded,
      newlyFailed.filter((pod) => pod.status?.phase !== 'Succeeded'),
    )
    const start = newlySucceeded.length > 0 ? { count: 0, lastMs: 0 } : known
    const next = { count: start.count + now.count, lastMs: Math.max(start.lastMs, now.lastMs) }
    if (next.count === 0) this.#failures.delete(jobUid)
    else this.#failures.set(jobUid, next)
  }

  /** Milliseconds until the job may be given new pods; 0 or less: now. */
  leftMs(jobUid: string, clock: Clock): number {
    const known = this.#failures.get(jobUid)
    return known === undefined ? 0 : known.lastMs + backoffMs(failureBackoff, known.count) - clock.now()
  }
}

/** The failures after the last success. Pods that run count as neither. */
function failuresInARow(succeeded: readonly Pod[], others: readonly Pod[]): Failures {
  const successes = [...succeeded, ...others].filter(({ status }) => status?.phase === 'Succeeded')
  const lastSuccessMs = Math.max(0, ...successes.map(endedAtMs))
  const failed = others.filter(({ metadata, status }) => {
    return status?.phase === 'Failed' || (metadata.deletionTimestamp !== undefined && status?.phase !== 'Succeeded')
  })
  const ends = failed.map(endedAtMs).filter((endMs) => endMs >= lastSuccessMs)
  return { count: ends.length, lastMs: Math.max(0, ...ends) }
}
