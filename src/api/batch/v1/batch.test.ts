import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { CronJob, Job } from '../../types/batch.v1.ts'
import { checkCronSchedule } from './cron-schedule.ts'
import { cronJob } from './cron-job.ts'
import { isJobFinished } from './job-facts.ts'
import { job } from './job.ts'
import { countIndexes } from './validate-success-policy.ts'

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

test('what a Job says of failures and successes', () => {
  const never = { spec: podSpec }
  const jobOf = (spec: object): readonly string[] => tryCreate(job, { metadata: { uid: 'u' }, spec }).messages
  const rule = (one: object): object => ({ template: never, podFailurePolicy: { rules: [one] } })
  const at = 'spec.podFailurePolicy.rules[0]'
  const cases: readonly [object, readonly string[]][] = [
    [
      rule({ action: 'Ignore' }),
      [`${at}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`],
    ],
    [
      rule({ action: '', onExitCodes: { operator: 'In', values: [3, 0], containerName: 'q' } }),
      [
        `${at}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
        `${at}.onExitCodes.containerName: Invalid value: "q": must be one of the container or initContainer names in the pod template`,
        `${at}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator`,
        `${at}.onExitCodes.values: Invalid value: [3,0]: must be ordered`,
      ],
    ],
    [
      rule({ action: 'FailIndex', onPodConditions: [{ type: 'a b', status: 'Maybe' }] }),
      [
        `${at}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
        `${at}.onPodConditions[0].type: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
        `${at}.onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"`,
      ],
    ],
    [
      {
        template: never,
        completionMode: 'Indexed',
        completions: 3,
        successPolicy: { rules: [{ succeededIndexes: '1-9' }] },
      },
      [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "1-9": error parsing succeededIndexes: too large index: "9"',
      ],
    ],
    [
      { template: never, backoffLimitPerIndex: 1, managedBy: 'me' },
      [
        'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
        'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
      ],
    ],
    [
      { template: never, selector: { matchLabels: { a: 'b' } } },
      [
        'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"u"}}: `selector` not auto-generated',
        'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u","batch.kubernetes.io/job-name":"x","controller-uid":"u","job-name":"x"}: `selector` does not match template `labels`',
      ],
    ],
  ]
  for (const [spec, expected] of cases) assert.deepEqual(jobOf(spec), expected)
})

test('the indexes of a success policy are counted', () => {
  assert.equal(countIndexes('1,3-5,7'), 5)
  assert.equal(countIndexes(''), 0)
  assert.equal(countIndexes('5,3'), 'non-increasing order, previous: 5, current: 3')
  assert.equal(countIndexes('a'), 'cannot convert string to integer for index: "a"')
})

test('the status of a Job does not contradict itself', () => {
  const { object } = tryCreate(job, { spec: { template } })
  const at = (status: object): object => ({ ...object, status })
  const complete = { conditions: [{ type: 'Complete', status: 'True' }] }
  const messages = (now: object, old: object): readonly string[] =>
    (job.validateStatusUpdate?.(at(now) as never, at(old) as never, 0) ?? []).map(
      ({ field, message }) => `${field}: ${message}`,
    )
  assert.deepEqual(messages({ active: -1 }, {}), [
    'status.active: Invalid value: -1: must be greater than or equal to 0',
  ])
  assert.deepEqual(messages(complete, {}), [
    'status.startTime: Required value: startTime is required for finished jobs',
    'status.completionTime: Required value: completionTime is required for Complete jobs',
  ])
  assert.deepEqual(messages({ succeeded: 1 }, { succeeded: 2 }), [
    'status.succeeded: Invalid value: 1: cannot decrease the succeeded counter',
  ])
})

test('a CronJob keeps the time zone of its schedule to itself', () => {
  const spec = { schedule: 'TZ=UTC * * * * *', jobTemplate: { spec: { template, manualSelector: true } } }
  assert.deepEqual(tryCreate(cronJob, { spec }).messages, [
    'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
  ])
})
