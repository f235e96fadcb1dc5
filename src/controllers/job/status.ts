import { isPodActive, isPodReady, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { setCondition } from '#api/meta/conditions.ts'
import type { Job, JobCondition, JobStatus } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { formatIndexes, isIndexed } from './completion-index.ts'
import type { Outcome } from './decide.ts'
import { isHeld, type Tally } from './tally.ts'

type Conditions = readonly JobCondition[]

/** The status that pods, counts and outcome make true. The job is only said to have ended when no pod of it is left running or uncounted. */
export function decideStatus(
  job: Job,
  pods: readonly Pod[],
  tally: Tally,
  outcome: Outcome | undefined,
  nowMs: number,
): JobStatus {
  const now = formatTime(nowMs)
  const active = pods.filter(isPodActive)
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod))
  const isOver = outcome !== undefined && active.length + terminating.length === 0 && !pods.some(isHeld)
  const { uncounted } = tally
  const conditions = withOutcome(suspension(job, now), outcome, isOver, now)
  const startTime = startTimeOf(job, now)
  return {
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(isOver && outcome.type === 'Complete' ? { completionTime: now } : {}),
    active: active.length,
    ready: active.filter(isPodReady).length,
    terminating: terminating.length,
    succeeded: tally.counted.succeeded,
    failed: tally.counted.failed,
    ...(isIndexed(job) && tally.completedIndexes.size > 0
      ? { completedIndexes: formatIndexes(tally.completedIndexes) }
      : {}),
    ...(tally.failedIndexes.size > 0 ? { failedIndexes: formatIndexes(tally.failedIndexes) } : {}),
    uncountedTerminatedPods: {
      ...(uncounted.succeeded.length === 0 ? {} : { succeeded: uncounted.succeeded }),
      ...(uncounted.failed.length === 0 ? {} : { failed: uncounted.failed }),
    },
  }
}

function isSuspended({ status }: Job): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Suspended' && status === 'True') ?? false
}

/** The clock of `activeDeadlineSeconds` starts when the job does, and again when it is resumed. */
function startTimeOf(job: Job, now: string): string | undefined {
  if (job.spec.suspend) return undefined
  return isSuspended(job) ? now : (job.status?.startTime ?? now)
}

function suspension(job: Job, now: string): Conditions {
  const conditions = job.status?.conditions ?? []
  if (job.spec.suspend && !isSuspended(job)) {
    return put(conditions, { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }, now)
  }
  if (!job.spec.suspend && isSuspended(job)) {
    return put(conditions, { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' }, now)
  }
  return conditions
}

/** First what the job is going to be, which stops new pods; then what it is. */
function withOutcome(conditions: Conditions, outcome: Outcome | undefined, isOver: boolean, now: string): Conditions {
  if (outcome === undefined) return conditions
  const { type, reason, message } = outcome
  const announced = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
  const next = put(conditions, { type: announced, status: 'True', reason, message }, now)
  return isOver ? put(next, { type, status: 'True', reason, message }, now) : next
}

function put(conditions: Conditions, condition: JobCondition, now: string): Conditions {
  const known = conditions.find(({ type }) => type === condition.type)
  if (known?.status === condition.status && known.reason === condition.reason) return conditions
  return setCondition(conditions, { ...condition, lastProbeTime: now }, now)
}
