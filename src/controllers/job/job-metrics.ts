import type { Job } from '#api/types/batch.v1.ts'
import type { MetricSet } from '#lib/metrics/metric-set.ts'
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
}
