import { templateWarnings } from '../../core/v1/pod/warnings.ts'
import type { JobSpec } from '../../types/batch.v1.ts'

const manyCompletions = 100_000
const manyPods = 10_000

/** What the API server says of a job, or of a template of jobs, that it accepts. */
export function jobSpecWarnings(spec: JobSpec, old: JobSpec | undefined, path: string): readonly string[] {
  const isHuge = (spec.completions ?? 0) > manyCompletions && (spec.parallelism ?? 0) > manyPods
  const huge =
    'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail'
  return [
    ...(spec.completionMode === 'Indexed' && isHuge ? [huge] : []),
    ...templateWarnings(spec.template, old?.template, `${path}.template`),
  ]
}
