import type { Job, JobCondition } from '../../types/batch.v1.ts'

export function jobCondition({ status }: Job, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

export function isJobComplete(job: Job): boolean {
  return jobCondition(job, 'Complete')?.status === 'True'
}

export function isJobFailed(job: Job): boolean {
  return jobCondition(job, 'Failed')?.status === 'True'
}

/** Complete or failed: nothing of it runs any more. */
export function isJobFinished(job: Job): boolean {
  return isJobComplete(job) || isJobFailed(job)
}
