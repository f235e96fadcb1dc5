import { isPodTerminal, podCondition } from '#api/core/v1/pod-facts.ts'
import type { Job } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { backoffMs } from '#lib/backoff.ts'
import { completionIndexOf } from './completion-index.ts'
import { isIgnoredFailure } from './failure-policy.ts'

/** How often the pods of an index failed before this one (KEP-3850); ignored failures are counted apart. */
export const failureCountName = 'batch.kubernetes.io/job-index-failure-count'
export const ignoredFailureCountName = 'batch.kubernetes.io/job-index-ignored-failure-count'

const retryBackoff = { initialMs: 10_000, maxMs: 600_000 }

export interface IndexFailures {
  readonly counted: number
  readonly ignored: number
}

export function failuresBefore({ metadata }: Pod): IndexFailures {
  const read = (name: string): number => {
    const count = Number(metadata.annotations?.[name] ?? 0)
    return Number.isInteger(count) && count >= 0 ? count : 0
  }
  return { counted: read(failureCountName), ignored: read(ignoredFailureCountName) }
}

/** What the pod that replaces a failed one has behind it. */
export function failuresAfter(job: Job, failed: Pod): IndexFailures {
  const { counted, ignored } = failuresBefore(failed)
  return isIgnoredFailure(job, failed) ? { counted, ignored: ignored + 1 } : { counted: counted + 1, ignored }
}

/**
 * The last failed pod of each index that is to be tried again: it keeps its finalizer until its successor exists, since
 * it alone knows how often the index has failed.
 *
 *     pod a of index 3 fails (0 before)   → a is kept back
 *     pod b of index 3 is made (1 before) → a is counted and let go
 */
export function keptBack(
  pods: readonly Pod[],
  failed: readonly Pod[],
  isSettled: (index: number) => boolean,
): ReadonlyMap<number, Pod> {
  const latest = new Map<number, Pod>()
  for (const pod of failed) {
    const index = completionIndexOf(pod)
    if (index === undefined || isSettled(index)) continue
    const known = latest.get(index)
    if (known === undefined || triesOf(pod) > triesOf(known)) latest.set(index, pod)
  }
  for (const pod of pods) {
    const index = completionIndexOf(pod)
    const known = index === undefined ? undefined : latest.get(index)
    if (known !== undefined && triesOf(pod) > triesOf(known)) latest.delete(index as number)
  }
  return latest
}

function triesOf(pod: Pod): number {
  const { counted, ignored } = failuresBefore(pod)
  return counted + ignored
}

/** Milliseconds until the index of the failed pod may be tried again. */
export function retryLeftMs(job: Job, failed: Pod, nowMs: number): number {
  const { counted } = failuresAfter(job, failed)
  return counted === 0 ? 0 : endedAtMs(failed) + backoffMs(retryBackoff, counted) - nowMs
}

/** When the last container of a pod that has ended did so, or the next best guess. */
export function endedAtMs(pod: Pod): number {
  const ends = (pod.status?.containerStatuses ?? []).flatMap(({ state }) => state?.terminated?.finishedAt ?? [])
  const last = ends.toSorted().at(-1)
  const isDone = isPodTerminal(pod)
  const text = last ?? (isDone ? podCondition(pod, 'Ready')?.lastTransitionTime : undefined)
  return Date.parse(text ?? pod.metadata.deletionTimestamp ?? pod.metadata.creationTimestamp)
}
