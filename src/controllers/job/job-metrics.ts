import type { Job, JobStatus } from '#api/types/batch.v1.ts'
import type { MetricSet } from '#lib/metrics/metric-set.ts'
import { isIndexed, parseIndexes } from './completion-index.ts'
import { failurePolicyAction } from './failure-policy.ts'
import type { Tally } from './tally.ts'

const modeOf = ({ spec }: Job): string => spec.completionMode ?? 'NonIndexed'

/** Counts a job that has ended. */
export function countJob(
  metrics: MetricSet,
  job: Job,
  end: { readonly hasFailed: boolean; readonly reason: string },
): void {
  const help = 'The number of finished Jobs'
  const labels = { completion_mode: modeOf(job), result: end.hasFailed ? 'failed' : 'succeeded', reason: end.reason }
  metrics.counter('job_controller_jobs_finished_total', help).add(labels)
}

/** Counts the pods of a job whose ends are told for the first time. */
export function countPods(metrics: MetricSet, job: Job, { newlySucceeded, newlyFailed }: Tally): void {
  const help = 'The number of finished Pods that are fully tracked'
  const counter = metrics.counter('job_controller_job_pods_finished_total', help)
  const ends = { succeeded: newlySucceeded.length, failed: newlyFailed.length }
  for (const [result, count] of Object.entries(ends)) {
    if (count > 0) counter.add({ completion_mode: modeOf(job), result }, count)
  }
  for (const pod of newlyFailed) {
    const action = failurePolicyAction(job, pod)
    const policyHelp = 'The number of failed Pods handled by failure policy, with respect to the action'
    const handled = 'job_controller_pod_failures_handled_by_failure_policy_total'
    if (action !== undefined) metrics.counter(handled, policyHelp).add({ action })
  }
}

/** Counts the indexes of an indexed job that the new status settles. */
export function countIndexes(metrics: MetricSet, job: Job, next: JobStatus): void {
  if (!isIndexed(job)) return
  const help = 'The number of finished indexes'
  const counter = metrics.counter('job_controller_job_finished_indexes_total', help)
  const backoffLimit = job.spec.backoffLimitPerIndex === undefined ? 'global' : 'perIndex'
  const settled = {
    succeeded: [job.status?.completedIndexes, next.completedIndexes],
    failed: [job.status?.failedIndexes, next.failedIndexes],
  }
  for (const [status, [before, after]] of Object.entries(settled)) {
    const more = parseIndexes(after).size - parseIndexes(before).size
    if (more > 0) counter.add({ status, backoffLimit }, more)
  }
}

/** Counts a job that somebody else looks after. */
export function countForeign(metrics: MetricSet, controllerName: string): void {
  const help = 'The number of Jobs managed by an external controller'
  const labels = { controller_name: controllerName }
  metrics.counter('job_controller_jobs_by_external_controller_total', help).add(labels)
}
