import { templateWithDefaults } from '../../core/v1/pod-template.ts'
import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { containerCells, selectorCell } from '../../meta/cells.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { CronJob, CronJobSpec, JobSpec } from '../../types/batch.v1.ts'
import { checkCronSchedule } from './cron-schedule.ts'
import { validateJobSpec } from './job.ts'

export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  hasGeneration: true,
  setDefaults: setCronJobDefaults,
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: validateCronJob,
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.schedule,
    spec.timeZone ?? '<none>',
    spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False',
    (status?.active ?? []).length,
    status?.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, nowMs),
    ageOf(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.jobTemplate.spec.template.spec.containers),
    selectorCell(spec.jobTemplate.spec.selector),
  ],
})

const keptSuccesses = 3
const keptFailures = 1

function setCronJobDefaults(draft: Draft<CronJob>): void {
  const spec = (draft.spec ??= {} as Draft<CronJobSpec>)
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= keptSuccesses
  spec.failedJobsHistoryLimit ??= keptFailures
  const template = (spec.jobTemplate ??= { spec: {} as Draft<JobSpec> })
  template.metadata ??= {}
  template.spec ??= {} as Draft<JobSpec>
  template.spec.template = templateWithDefaults(template.spec.template)
}

/** Jobs are named after their CronJob and eleven more characters. */
const maxNameLength = 52

function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  const errors = validateSpec(spec)
  if (metadata.name.length > maxNameLength) {
    errors.push(invalidValue('metadata.name', metadata.name, `must be no more than ${maxNameLength} characters`))
  }
  return errors
}

function validateSpec(spec: CronJobSpec): FieldError[] {
  const errors: FieldError[] = []
  if ((spec.schedule ?? '') === '') errors.push(required('spec.schedule'))
  else errors.push(...validateSchedule(spec))
  errors.push(
    ...validateTimeZone(spec.timeZone),
    ...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
  )
  const policies = ['Allow', 'Forbid', 'Replace']
  const policy: string = spec.concurrencyPolicy ?? ''
  if (policy === '') errors.push(required('spec.concurrencyPolicy'))
  else if (!policies.includes(policy)) errors.push(notSupported('spec.concurrencyPolicy', policy, policies))
  return [
    ...errors,
    ...validateJobSpec(spec.jobTemplate.spec, false, 'spec.jobTemplate.spec'),
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  ]
}

function validateSchedule({ schedule }: CronJobSpec): FieldError[] {
  if (/^(CRON_)?TZ=/.test(schedule)) {
    return [invalidValue('spec.schedule', schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')]
  }
  const wrong = checkCronSchedule(schedule)
  return wrong === undefined ? [] : [invalidValue('spec.schedule', schedule, wrong)]
}

function validateTimeZone(timeZone: string | undefined): FieldError[] {
  if (timeZone === undefined) return []
  if (timeZone === '') return [invalidValue('spec.timeZone', timeZone, 'timeZone must be nil or non-empty string')]
  if (timeZone.toLowerCase() === 'local') {
    return [
      invalidValue(
        'spec.timeZone',
        timeZone,
        'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ),
    ]
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return []
  } catch {
    return [invalidValue('spec.timeZone', timeZone, `unknown time zone ${timeZone}`)]
  }
}
