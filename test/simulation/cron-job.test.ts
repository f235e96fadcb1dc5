import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { CronJob, CronJobSpec, Job } from '#api/types/batch.v1.ts'
import { cronJobs, events, jobs, pods, serviceAccounts } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function cronCluster(t: TestContext, spec: Partial<CronJobSpec>): Promise<SmallCluster> {
  const cluster = await smallCluster(t)
  const accounts = cluster.client.resource(serviceAccounts, 'test')
  await cluster.until('pods can be made', async () => (await accounts.list()).items.length > 0)
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
  const whole = { schedule: '* * * * *', jobTemplate: { spec: { template } }, ...spec } as unknown as CronJobSpec
  await cluster.client.resource(cronJobs, 'test').create({ metadata: { name: 'cron' }, spec: whole })
  await cluster.settle()
  // Jobs are made a little after their time.
  await cluster.clock.advance(200)
  return cluster
}

async function jobsOf({ client }: SmallCluster): Promise<readonly Job[]> {
  return (await client.resource(jobs, 'test').list()).items
}

async function read({ client }: SmallCluster): Promise<CronJob> {
  return client.resource(cronJobs, 'test').get('cron')
}

async function minutes(cluster: SmallCluster, count: number): Promise<void> {
  await cluster.clock.advance(count * 60_000)
  await cluster.settle()
}

async function finishAll(cluster: SmallCluster): Promise<void> {
  const collection = cluster.client.resource(pods, 'test')
  for (const { metadata, status } of (await collection.list()).items) {
    if (status?.phase === 'Succeeded') continue
    await collection.patch(
      metadata.name,
      { type: 'merge', patch: { status: { phase: 'Succeeded' } } },
      { subresource: 'status' },
    )
  }
  await cluster.settle()
}

test('a job is made each minute, ended ones are kept as far as the history goes', async (t) => {
  const cluster = await cronCluster(t, { successfulJobsHistoryLimit: 2 })
  for (let minute = 1; minute <= 4; minute++) {
    await minutes(cluster, 1)
    assert.equal((await read(cluster)).status?.active?.length, 1)
    await finishAll(cluster)
    await cluster.until('its end is noted', async () => (await read(cluster)).status?.active === undefined)
  }
  const { status } = await read(cluster)
  assert.equal(status?.active, undefined)
  assert.equal(status?.lastScheduleTime, '2026-01-01T00:04:00Z')
  assert.ok(status?.lastSuccessfulTime)
  await cluster.until('two are left', async () => (await jobsOf(cluster)).length === 2)
  const told = (await cluster.client.resource(events, 'test').list()).items.map(({ reason }) => reason)
  for (const reason of ['SuccessfulCreate', 'SawCompletedJob', 'SuccessfulDelete'])
    assert.ok(told.includes(reason), reason)
})

test('Forbid waits for the job before, and then makes up for the latest time only', async (t) => {
  const cluster = await cronCluster(t, { concurrencyPolicy: 'Forbid' })
  await minutes(cluster, 5)
  assert.equal((await jobsOf(cluster)).length, 1)
  await finishAll(cluster)
  await cluster.until('the next one runs', async () => (await jobsOf(cluster)).length === 2)
  assert.equal((await read(cluster)).status?.lastScheduleTime, '2026-01-01T00:05:00Z')
})

test('Replace deletes the job before', async (t) => {
  const cluster = await cronCluster(t, { concurrencyPolicy: 'Replace' })
  await minutes(cluster, 1)
  const [first] = await jobsOf(cluster)
  await minutes(cluster, 1)
  await cluster.until('only the second is left', async () => {
    const left = await jobsOf(cluster)
    return left.length === 1 && left[0]?.metadata.uid !== first?.metadata.uid
  })
  assert.equal((await read(cluster)).status?.active?.length, 1)
})

test('Allow lets jobs run beside each other, suspend makes none', async (t) => {
  const cluster = await cronCluster(t, {})
  await minutes(cluster, 3)
  assert.equal((await jobsOf(cluster)).length, 3)
  assert.equal((await read(cluster)).status?.active?.length, 3)
  await cluster.client.resource(cronJobs, 'test').patch('cron', { type: 'merge', patch: { spec: { suspend: true } } })
  await minutes(cluster, 3)
  assert.equal((await jobsOf(cluster)).length, 3)
})

test('a job that was made but not noted before a crash is noted, not made again', async (t) => {
  const cluster = await cronCluster(t, {})
  await minutes(cluster, 1)
  const collection = cluster.client.resource(cronJobs, 'test')
  const cronJob = await read(cluster)
  await collection.updateStatus({ ...cronJob, status: {} })
  await cluster.until('it is noted again', async () => (await read(cluster)).status?.active?.length === 1)
  assert.equal((await jobsOf(cluster)).length, 1)
  assert.equal((await read(cluster)).status?.lastScheduleTime, '2026-01-01T00:01:00Z')
})
