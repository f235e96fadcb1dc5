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
import { validateJobSpec } from './validate-job-spec.ts'
import { setPatternDefaults } from './pattern-defaults.ts'
import { jobSpecWarnings } from './job-warnings.ts'
import { podNameWarnings } from '../../core/v1/pod/name-warnings.ts'
import { selectorForMessage } from '../../meta/validate-labels.ts'

export const cronJob = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  hasGeneration: true,
  setDefaults: setCronJobDefaults,
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: validateCronJob,
  validateUpdate: ({ spec: now }, { spec: old }) => validateSpec(now, old),
  validatesUpdateAlone: true,
  warnings: ({ metadata, spec }, old) => [
    ...podNameWarnings(metadata, old),
    ...jobSpecWarnings(spec.jobTemplate.spec, old?.spec.jobTemplate.spec, 'spec.jobTemplate.spec'),
    ...(spec.schedule.includes('TZ') ? [zoneWarning] : []),
  ],
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

const zoneWarning =
  'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones for more details'

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
  setPatternDefaults(template.spec)
}

/** Jobs are named after their CronJob and eleven more characters. */
const maxNameLength = 52

function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  const errors = validateSpec(spec, undefined)
  if (metadata.name.length > maxNameLength) {
    errors.push(invalidValue('metadata.name', metadata.name, `must be no more than ${maxNameLength} characters`))
  }
  return errors
}

/** A time zone in the schedule itself is tolerated where it was stored before the rule against it. */
function validateSpec(spec: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const errors: FieldError[] = []
  if ((spec.schedule ?? '') === '') errors.push(required('spec.schedule'))
  else errors.push(...validateSchedule(spec, old?.schedule === spec.schedule))
  errors.push(...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'))
  if (old === undefined || old.timeZone !== spec.timeZone) errors.push(...validateTimeZone(spec.timeZone))
  const policies = ['Allow', 'Forbid', 'Replace']
  const policy: string = spec.concurrencyPolicy ?? ''
  if (policy === '') errors.push(required('spec.concurrencyPolicy'))
  else if (!policies.includes(policy)) errors.push(notSupported('spec.concurrencyPolicy', policy, policies))
  return [
    ...errors,
    ...validateJobTemplate(spec.jobTemplate.spec, 'spec.jobTemplate.spec'),
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  ]
}

/** Each job gets a selector of its own. */
function validateJobTemplate(spec: JobSpec, path: string): FieldError[] {
  const errors = validateJobSpec(spec, path)
  if (spec.selector !== undefined) {
    const detail = '`selector` will be auto-generated'
    errors.push(invalidValue(`${path}.selector`, selectorForMessage(spec.selector), detail))
  }
  if (spec.manualSelector === true) errors.push(notSupported(`${path}.manualSelector`, true, ['nil', 'false']))
  return errors
}

function validateSchedule({ schedule, timeZone }: CronJobSpec, isKnown: boolean): FieldError[] {
  const wrong = checkCronSchedule(schedule.replace(/^(CRON_)?TZ=\S+\s+/, ''))
  const errors = wrong === undefined ? [] : [invalidValue('spec.schedule', schedule, wrong)]
  if (!schedule.includes('TZ')) return errors
  if (!isKnown) {
    const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
    return [...errors, invalidValue('spec.schedule', schedule, detail)]
  }
  if (timeZone === undefined) return errors
  const detail = 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
  return [...errors, invalidValue('spec.schedule', schedule, detail)]
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
