import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Job, UncountedTerminatedPods } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { completionIndexOf, isIndexed, parseIndexes } from './completion-index.ts'
import { failsIndex, isIgnoredFailure } from './failure-policy.ts'
import { failuresBefore, keptBack } from './index-failures.ts'

/** Held by every pod of a job until its end has been counted, so that none is lost or counted twice. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'

export interface Tally {
  /** Pods that have ended, whether or not their finalizer is off yet. */
  readonly succeeded: number
  readonly failed: number
  readonly completedIndexes: ReadonlySet<number>
  /** Indexes that are given up; empty unless failures are limited by index. */
  readonly failedIndexes: ReadonlySet<number>
  /** The last failed pod of each index that is to be tried again; counted once its successor exists. */
  readonly keptBack: ReadonlyMap<number, Pod>
  /** What `status` must say before any finalizer comes off. */
  readonly counted: { readonly succeeded: number; readonly failed: number }
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
  /** Pods whose end the status covers: their finalizers may come off once it is written. */
  readonly release: readonly Pod[]
  /** Ends seen for the first time: they make new pods wait, or stop waiting. */
  readonly newlySucceeded: readonly Pod[]
  readonly newlyFailed: readonly Pod[]
}

/**
 * Counts the ends of a job's pods in two steps, so that a crash between them loses nothing:
 *
 *     pod p ends          → status.uncountedTerminatedPods.succeeded = [p]   (written)
 *     p's finalizer off   → p may vanish
 *     p seen without it   → status.succeeded + 1, p leaves the list          (written)
 *
 * `isFailing`: the job has failed, and so has every pod of it that is not done.
 */
export function tallyPods(job: Job, pods: readonly Pod[], isFailing = false): Tally {
  const held = new Map(pods.filter(isHeld).map((pod) => [pod.metadata.uid, pod]))
  const old: UncountedTerminatedPods = job.status?.uncountedTerminatedPods ?? {}
  const stillHeld = (uids: readonly string[] | undefined): string[] => (uids ?? []).filter((uid) => held.has(uid))
  const succeeded = stillHeld(old.succeeded)
  const failed = stillHeld(old.failed)
  const counted = {
    succeeded: (job.status?.succeeded ?? 0) + (old.succeeded?.length ?? 0) - succeeded.length,
    failed: (job.status?.failed ?? 0) + (old.failed?.length ?? 0) - failed.length,
  }
  const completedIndexes = parseIndexes(job.status?.completedIndexes)
  const known = new Set([...succeeded, ...failed])
  const fresh = [...held.values()].filter((pod) => !known.has(pod.metadata.uid))
  const newlySucceeded = fresh.filter(
    (pod) => pod.status?.phase === 'Succeeded' && isCountable(job, pod, completedIndexes),
  )
  for (const pod of newlySucceeded) if (isIndexed(job)) completedIndexes.add(completionIndexOf(pod) as number)
  const ended = fresh.filter((pod) => hasFailed(job, pod))
  const failedIndexes = failedIndexesOf(job, ended, completedIndexes)
  const waiting = waitingForSuccessors(
    job,
    pods,
    ended,
    (index) => completedIndexes.has(index) || failedIndexes.has(index),
  )
  const isKept = new Set(isFailing ? [] : waiting.values())
  const stopped = isFailing ? fresh.filter((pod) => !isPodTerminal(pod) && !ended.includes(pod)) : []
  const newlyFailed = [...ended, ...stopped].filter((pod) => !isKept.has(pod) && !isIgnoredFailure(job, pod))
  succeeded.push(...newlySucceeded.map(({ metadata }) => metadata.uid))
  failed.push(...newlyFailed.map(({ metadata }) => metadata.uid))
  const isDone = new Set([...succeeded, ...failed])
  const isWorthless = (pod: Pod): boolean => isPodTerminal(pod) || ended.includes(pod)
  return {
    succeeded: counted.succeeded + succeeded.length,
    failed: counted.failed + failed.length,
    completedIndexes,
    failedIndexes,
    keptBack: waiting,
    counted,
    uncounted: { succeeded, failed },
    release: [...held.values()].filter((pod) => !isKept.has(pod) && (isDone.has(pod.metadata.uid) || isWorthless(pod))),
    newlySucceeded,
    newlyFailed,
  }
}

function failedIndexesOf(job: Job, ended: readonly Pod[], completed: ReadonlySet<number>): ReadonlySet<number> {
  const { backoffLimitPerIndex, completions = 0 } = job.spec
  if (backoffLimitPerIndex === undefined) return new Set()
  const indexes = parseIndexes(job.status?.failedIndexes)
  for (const pod of ended) {
    const index = completionIndexOf(pod)
    if (index === undefined || index >= completions || completed.has(index)) continue
    const isLast = !isIgnoredFailure(job, pod) && failuresBefore(pod).counted >= backoffLimitPerIndex
    if (isLast || failsIndex(job, pod)) indexes.add(index)
  }
  return indexes
}

function waitingForSuccessors(
  job: Job,
  pods: readonly Pod[],
  ended: readonly Pod[],
  isSettled: (index: number) => boolean,
): ReadonlyMap<number, Pod> {
  const isEnding = job.status?.conditions?.some(
    ({ type, status }) => (type === 'FailureTarget' || type === 'SuccessCriteriaMet') && status === 'True',
  )
  if (job.spec.backoffLimitPerIndex === undefined || isEnding || job.metadata.deletionTimestamp !== undefined) {
    return new Map()
  }
  return keptBack(pods, ended, (index) => isSettled(index) || index >= (job.spec.completions ?? 0))
}

export function isHeld({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) ?? false
}

/** An index counts once, and only one that the job has. */
function isCountable(job: Job, pod: Pod, completed: ReadonlySet<number>): boolean {
  if (!isIndexed(job)) return true
  const index = completionIndexOf(pod)
  return index !== undefined && index < (job.spec.completions ?? 0) && !completed.has(index)
}

/** A pod that is being deleted counts as failed at once, unless the job wants to replace only those that have failed. */
export function hasFailed(job: Job, pod: Pod): boolean {
  const phase = pod.status?.phase
  if (phase === 'Failed') return true
  if (job.spec.podReplacementPolicy === 'Failed') return false
  return pod.metadata.deletionTimestamp !== undefined && phase !== 'Succeeded'
}
