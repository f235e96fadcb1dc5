import { isPodActive, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Job } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { completionIndexOf, isIndexed } from './completion-index.ts'
import { fatalFailure } from './failure-policy.ts'
import { metSuccessRule } from './success-policy.ts'
import { hasFailed, type Tally } from './tally.ts'

/** How a job ends. */
export interface Outcome {
  readonly type: 'Complete' | 'Failed'
  readonly reason: string
  readonly message: string
}

const completed: Outcome = {
  type: 'Complete',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
}

/** Whether the job has ended by what its pods did and by the time; undefined: it goes on. */
export function decideOutcome(job: Job, pods: readonly Pod[], tally: Tally, nowMs: number): Outcome | undefined {
  const known = knownOutcome(job)
  if (known !== undefined) return known
  const fatal = fatalFailure(job, pods)
  if (fatal !== undefined) return failed('PodFailurePolicy', fatal)
  const limit = job.spec.backoffLimit ?? 6
  if (tally.failed > limit || restartsExceed(job, pods, limit)) {
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  }
  const leftMs = deadlineLeftMs(job, nowMs)
  if (leftMs !== undefined && leftMs <= 0) {
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline')
  }
  const exhausted = failedByIndexes(job, tally)
  if (exhausted !== undefined) return exhausted
  const rule = isIndexed(job) ? metSuccessRule(job, tally.completedIndexes) : undefined
  if (rule !== undefined) return { type: 'Complete', reason: 'SuccessPolicy', message: rule }
  return isComplete(job, pods, tally) ? completed : undefined
}

/** Too many indexes given up, or none left to try and some of them given up (KEP-3850). */
function failedByIndexes({ spec }: Job, { failedIndexes, completedIndexes }: Tally): Outcome | undefined {
  if (failedIndexes.size === 0) return undefined
  if (spec.maxFailedIndexes !== undefined && failedIndexes.size > spec.maxFailedIndexes) {
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  }
  const isExhausted = failedIndexes.size + completedIndexes.size >= (spec.completions ?? 0)
  return isExhausted ? failed('FailedIndexes', 'Job has failed indexes') : undefined
}

function failed(reason: string, message: string): Outcome {
  return { type: 'Failed', reason, message }
}

/** An end once announced stays, whatever pods do afterwards. */
function knownOutcome({ status }: Job): Outcome | undefined {
  for (const [announced, type] of [
    ['FailureTarget', 'Failed'],
    ['SuccessCriteriaMet', 'Complete'],
  ] as const) {
    const condition = status?.conditions?.find((known) => known.type === announced && known.status === 'True')
    if (condition !== undefined) return { type, reason: condition.reason ?? '', message: condition.message ?? '' }
  }
  return undefined
}

/** Containers that restart in their pods count as tries, too. */
function restartsExceed({ spec }: Job, pods: readonly Pod[], limit: number): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false
  const restarts = pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)
  return limit === 0 ? restarts > 0 : restarts >= limit
}

/** Milliseconds the job may still be active; undefined without a deadline, and while it is suspended. */
export function deadlineLeftMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined || spec.suspend) return undefined
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1_000 - nowMs
}

function isComplete(job: Job, pods: readonly Pod[], tally: Tally): boolean {
  const { completions } = job.spec
  if (isIndexed(job)) return tally.completedIndexes.size >= (completions ?? 0)
  if (completions !== undefined) return tally.succeeded >= completions
  return tally.succeeded > 0 && !pods.some(isPodActive)
}

export interface PodChanges {
  /** Completion indexes of the pods to create, or undefined for one without. */
  readonly create: readonly (number | undefined)[]
  readonly delete: readonly Pod[]
}

/** Which pods to create or delete while the job goes on. */
export function decidePods(job: Job, pods: readonly Pod[], tally: Tally): PodChanges {
  const active = pods.filter(isPodActive)
  if (job.spec.suspend) return { create: [], delete: active }
  const wanted = wantedActive(job, active, tally)
  const doubled = isIndexed(job) ? misplaced(job, active, tally) : []
  const useful = active.filter((pod) => !doubled.includes(pod))
  if (useful.length > wanted)
    return { create: [], delete: [...doubled, ...useful.toSorted(youngFirst).slice(0, useful.length - wanted)] }
  // A terminating pod that is not counted as failed yet still holds its place.
  const terminating = pods.filter(
    (pod) => pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod) && !hasFailed(job, pod),
  )
  const missing = Math.max(0, wanted - useful.length - terminating.length)
  if (!isIndexed(job)) return { create: Array.from({ length: missing }, () => undefined), delete: [] }
  return { create: freeIndexes(job, [...useful, ...terminating], tally, missing), delete: doubled }
}

function wantedActive({ spec }: Job, active: readonly Pod[], tally: Tally): number {
  const parallelism = spec.parallelism ?? 1
  // Without a number of completions one success means that the work is done: pods that run may end, none is added.
  if (spec.completions === undefined) return tally.succeeded > 0 ? Math.min(active.length, parallelism) : parallelism
  return Math.min(parallelism, Math.max(0, spec.completions - tally.succeeded - tally.failedIndexes.size))
}

function misplaced({ spec }: Job, active: readonly Pod[], tally: Tally): readonly Pod[] {
  const taken = new Set<number>()
  return active
    .toSorted((a, b) => youngFirst(b, a))
    .filter((pod) => {
      const index = completionIndexOf(pod)
      if (
        index === undefined ||
        index >= (spec.completions ?? 0) ||
        tally.completedIndexes.has(index) ||
        tally.failedIndexes.has(index) ||
        taken.has(index)
      )
        return true
      taken.add(index)
      return false
    })
}

function freeIndexes({ spec }: Job, pods: readonly Pod[], tally: Tally, count: number): readonly number[] {
  const taken = new Set(pods.map(completionIndexOf))
  const free: number[] = []
  for (let index = 0; index < (spec.completions ?? 0) && free.length < count; index++) {
    const isSettled = tally.completedIndexes.has(index) || tally.failedIndexes.has(index)
    if (!taken.has(index) && !isSettled) free.push(index)
  }
  return free
}

function youngFirst(a: Pod, b: Pod): number {
  return a.metadata.creationTimestamp > b.metadata.creationTimestamp ? -1 : 1
}
