import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { CronJob, Job } from '../../types/batch.v1.ts'
import { checkCronSchedule } from './cron-schedule.ts'
import { cronJob } from './cron-job.ts'
import { isJobFinished } from './job-facts.ts'
import { job } from './job.ts'

const podSpec = { containers: [{ name: 'c', image: 'x:1' }], restartPolicy: 'Never' }
const template = { spec: podSpec }

test('a Job is filled in and selects its pods by its own uid', () => {
  const { object, messages } = tryCreate(job, { metadata: { name: 'j', uid: 'u1' }, spec: { template } })
  const { spec } = object as Job
  assert.deepEqual(messages, [])
  assert.deepEqual(spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u1' } })
  assert.deepEqual(spec.template.metadata?.labels, {
    'batch.kubernetes.io/controller-uid': 'u1',
    'batch.kubernetes.io/job-name': 'j',
    'controller-uid': 'u1',
    'job-name': 'j',
  })
  const { parallelism, completions, backoffLimit, completionMode, suspend, podReplacementPolicy } = spec
  assert.deepEqual(
    [parallelism, completions, backoffLimit, completionMode, suspend, podReplacementPolicy],
    [1, 1, 6, 'NonIndexed', false, 'TerminatingOrFailed'],
  )
})

test('a Job is refused in the words of the API server', () => {
  const cases: readonly [object, readonly string[]][] = [
    [
      { template: { spec: { ...podSpec, restartPolicy: 'Always' } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [{ template, parallelism: -1 }, ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0']],
    [
      { template, completionMode: 'Indexed', parallelism: 2 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
  ]
  for (const [spec, expected] of cases) assert.deepEqual(tryCreate(job, { spec }).messages, expected)
})

test('the template of a Job stays once it has started', () => {
  const created = tryCreate(job, { spec: { template } })
  const { messages } = tryUpdate<Job>(job, created, ({ spec }) => void (spec.template.spec.nodeName = 'n'))
  assert.match(messages[0] ?? '', /^spec\.template: Invalid value: .*: field is immutable$/)
})

test('columns of a Job', () => {
  const { object } = tryCreate(job, { spec: { template } })
  const shown = (status: Job['status']): readonly unknown[] =>
    job.cells?.({ ...object, status } as Job, Date.parse('2024-01-01T00:05:00Z')).slice(1, 4) ?? []
  const startTime = '2024-01-01T00:01:00Z'
  assert.deepEqual(shown({}), ['Running', '0/1', ''])
  assert.deepEqual(shown({ startTime, active: 1 }), ['Running', '0/1', '4m'])
  const complete = { startTime, completionTime: '2024-01-01T00:01:30Z', succeeded: 1 }
  const conditions = [{ type: 'Complete', status: 'True' }]
  assert.deepEqual(shown({ ...complete, conditions }), ['Complete', '1/1', '30s'])
  assert.equal(isJobFinished({ ...(object as Job), status: { conditions } }), true)
})

test('schedules in cron form', () => {
  const good = ['* * * * *', '*/5 0-3 1,15 jan-mar MON', '@daily', '@every 1h30m', '0 0 ? * *']
  for (const schedule of good) assert.equal(checkCronSchedule(schedule), undefined, schedule)
  const bad: readonly [string, RegExp][] = [
    ['* * * *', /^expected exactly 5 fields, found 4: \[\* \* \* \*\]$/],
    ['60 * * * *', /^end of range \(60\) above maximum \(59\): 60$/],
    ['5-1 * * * *', /beyond end of range/],
    ['* * 0 * *', /^beginning of range \(0\) below minimum \(1\): 0$/],
    ['*/0 * * * *', /step of range should be a positive number/],
    ['a * * * *', /^failed to parse int from a/],
    ['@sometimes', /^unrecognized descriptor: @sometimes$/],
  ]
  for (const [schedule, message] of bad) assert.match(checkCronSchedule(schedule) ?? '', message)
})

test('a CronJob is filled in, and refused', () => {
  const jobTemplate = { spec: { template } }
  const { spec } = tryCreate(cronJob, { spec: { schedule: '@hourly', jobTemplate } }).object as CronJob
  const { concurrencyPolicy, suspend, successfulJobsHistoryLimit, failedJobsHistoryLimit } = spec
  assert.deepEqual(
    [concurrencyPolicy, suspend, successfulJobsHistoryLimit, failedJobsHistoryLimit],
    ['Allow', false, 3, 1],
  )
  const refused = tryCreate(cronJob, {
    metadata: { name: 'a'.repeat(53) },
    spec: { schedule: '', timeZone: 'Mars/Base', jobTemplate },
  })
  assert.deepEqual(refused.messages, [
    'spec.schedule: Required value',
    'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
    `metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`,
  ])
})
