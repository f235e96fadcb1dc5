import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CronJob, Job } from '#api/types/batch.v1.ts'
import { decideTiming, jobFor, surplusHistory } from './decide.ts'

function cronJob(spec: Partial<CronJob['spec']>, status: CronJob['status'] = {}): CronJob {
  const metadata = { name: 'c', namespace: 'n', uid: 'u', creationTimestamp: '2026-01-01T00:00:30Z' }
  const jobTemplate = { metadata: { labels: { a: 'b' }, annotations: { x: 'y' } }, spec: { template: {} } }
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata,
    spec: { schedule: '0 * * * *', jobTemplate, ...spec },
    status,
  } as never
}

const timings = [
  { now: '2026-01-01T00:59:59Z', cron: cronJob({}), due: undefined, many: false },
  { now: '2026-01-01T01:00:00Z', cron: cronJob({}), due: '2026-01-01T01:00:00.000Z', many: false },
  { now: '2026-01-01T05:30:00Z', cron: cronJob({}), due: '2026-01-01T05:00:00.000Z', many: false },
  { now: '2026-01-07T00:00:00Z', cron: cronJob({}), due: '2026-01-07T00:00:00.000Z', many: true },
  {
    now: '2026-01-07T00:00:00Z',
    cron: cronJob({ startingDeadlineSeconds: 7_200 }),
    due: '2026-01-07T00:00:00.000Z',
    many: false,
  },
  { now: '2026-01-01T05:30:00Z', cron: cronJob({ startingDeadlineSeconds: 600 }), due: undefined, many: false },
  {
    now: '2026-01-01T05:30:00Z',
    cron: cronJob({}, { lastScheduleTime: '2026-01-01T05:00:00Z' }),
    due: undefined,
    many: false,
  },
] as const

for (const { now, cron, due, many } of timings) {
  test(`at ${now}, deadline ${cron.spec.startingDeadlineSeconds}, after ${cron.status?.lastScheduleTime}: ${due}`, () => {
    const { dueMs, hasMissedMany, nextMs } = decideTiming(cron, Date.parse(now))
    assert.equal(dueMs === undefined ? undefined : new Date(dueMs).toISOString(), due)
    assert.equal(hasMissedMany, many)
    assert.ok(nextMs !== undefined && nextMs > Date.parse(now))
  })
}

test('a job is named after its minute and tells its time in its zone', () => {
  const { metadata } = jobFor(cronJob({ timeZone: 'Asia/Kolkata' }), Date.parse('2026-01-01T01:00:00Z'))
  assert.equal(metadata.name, 'c-29453820')
  assert.deepEqual(metadata.labels, { a: 'b' })
  assert.deepEqual(metadata.annotations, {
    x: 'y',
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T06:30:00+05:30',
  })
  assert.equal(metadata.ownerReferences?.[0]?.uid, 'u')
})

test('the oldest ended jobs beyond the limits go', () => {
  const job = (name: string, type: string): Job =>
    ({
      metadata: { name, creationTimestamp: '' },
      status: { startTime: name, conditions: [{ type, status: 'True' }] },
    }) as never
  const jobs = [
    job('3', 'Complete'),
    job('1', 'Complete'),
    job('2', 'Complete'),
    job('4', 'Failed'),
    job('0', 'Suspended'),
  ]
  const names = (spec: object): readonly string[] =>
    surplusHistory(cronJob(spec), jobs).map(({ metadata }) => metadata.name)
  assert.deepEqual(names({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }), ['4', '1', '2'])
  assert.deepEqual(names({ successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 }), [])
})
