import { nonNegative } from '../../meta/check-numbers.ts'
import { invalidValue, invalidWithoutValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { Job, JobStatus } from '../../types/batch.v1.ts'
import { isJobComplete, isJobFailed, isJobFinished, jobCondition } from './job-facts.ts'

const counts = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const

/** Errors of a new status: whoever manages the job must not contradict itself (KEP-4368). */
export function validateJobStatus(now: Job, old: Job): FieldError[] {
  const { status = {} } = now
  const before = old.status ?? {}
  return [
    ...counts.flatMap((field) => nonNegative(status[field], `status.${field}`)),
    ...validateEnd(now, old),
    ...validateProgress(status, before),
    ...validateLasting(now, old),
  ]
}

function validateEnd(now: Job, old: Job): FieldError[] {
  const { status = {} } = now
  const errors: FieldError[] = []
  if (isJobFinished(now) && !isJobFinished(old)) {
    if ((status.active ?? 0) > 0) {
      errors.push(invalidValue('status.active', status.active, 'active>0 is invalid for finished job'))
    }
    if (status.startTime === undefined) {
      errors.push(required('status.startTime', 'startTime is required for finished jobs'))
    }
  }
  if (isJobComplete(now) && !isJobComplete(old)) {
    if (isJobFailed(now)) {
      errors.push(invalidWithoutValue('status.conditions', 'cannot set Complete=True and Failed=true conditions'))
    }
    if (status.completionTime === undefined) {
      errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'))
    }
  }
  if (status.completionTime !== undefined && status.completionTime !== old.status?.completionTime) {
    const detail = 'cannot set completionTime when there is no Complete=True condition'
    if (!isJobComplete(now)) errors.push(invalidValue('status.completionTime', status.completionTime, detail))
  }
  return errors
}

function validateProgress(now: JobStatus, before: JobStatus): FieldError[] {
  return (['succeeded', 'failed'] as const)
    .filter((field) => (now[field] ?? 0) < (before[field] ?? 0))
    .map((field) => invalidValue(`status.${field}`, now[field] ?? 0, `cannot decrease the ${field} counter`))
}

function validateLasting(now: Job, old: Job): FieldError[] {
  return ['Failed', 'Complete'].flatMap((type) => {
    const isLost = jobCondition(old, type)?.status === 'True' && jobCondition(now, type)?.status !== 'True'
    const detail = `cannot disable the terminal ${type}=True condition`
    return isLost ? [invalidWithoutValue('status.conditions', detail)] : []
  })
}
