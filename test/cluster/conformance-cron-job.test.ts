/**
 * Goal: CronJobs behave as a conformant cluster's do. Method: the whole cluster in this process with simulated nodes and
 * hours that pass in no time, one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { CronJob, CronJobSpec, Job } from '#api/types/batch.v1.ts'
import { cronJobs, events, jobs } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { namespace, showCollection, templateOf } from './harness/workloads.ts'

const area = 'apps/cronjob'
const minuteMs = 60_000

/** Every minute a job that runs until it is stopped. */
async function create({ client }: WholeCluster, spec: Partial<CronJobSpec> = {}): Promise<CronJob> {
  const template = templateOf({ app: 'tick' }, {}, { restartPolicy: 'Never' })
  const jobTemplate = { spec: { template } }
  const basic = { schedule: '*/1 * * * *', jobTemplate }
  const metadata = { name: 'tick', labels: { app: 'tick' } }
  return client.resource(cronJobs, namespace).create({ metadata, spec: { ...basic, ...spec } as CronJobSpec })
}

const jobsOf = async ({ client }: WholeCluster): Promise<readonly Job[]> =>
  (await client.resource(jobs, namespace).list()).items

const read = ({ client }: WholeCluster): Promise<CronJob> => client.resource(cronJobs, namespace).get('tick')

const activeOf = async (cluster: WholeCluster): Promise<number> => (await read(cluster)).status?.active?.length ?? 0

behaviour(area, 'CronJob should schedule multiple jobs concurrently', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster, { concurrencyPolicy: 'Allow' })
  await cluster.until('two jobs run', async () => (await activeOf(cluster)) > 1, { withinMs: 5 * minuteMs })
  const running = (await jobsOf(cluster)).filter(({ status }) => (status?.active ?? 0) > 0)
  assert.ok(running.length >= 2)
})

behaviour(area, 'CronJob should not schedule jobs when suspended', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster, { suspend: true })
  await cluster.pass(5 * minuteMs)
  assert.deepEqual(await jobsOf(cluster), [])
  assert.equal(await activeOf(cluster), 0)
})

behaviour(area, 'CronJob should not schedule new jobs when ForbidConcurrent', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster, { concurrencyPolicy: 'Forbid' })
  await cluster.until('a job runs', async () => (await activeOf(cluster)) === 1, { withinMs: 2 * minuteMs })
  const [first] = await jobsOf(cluster)
  await cluster.pass(3 * minuteMs)
  assert.deepEqual(
    (await jobsOf(cluster)).map(({ metadata }) => metadata.uid),
    [first?.metadata.uid],
  )
  const told = (await cluster.client.resource(events, namespace).list()).items.map(({ reason }) => reason)
  assert.ok(told.includes('JobAlreadyActive'))
})

behaviour(area, 'CronJob should replace jobs when ReplaceConcurrent', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster, { concurrencyPolicy: 'Replace' })
  await cluster.until('a job runs', async () => (await activeOf(cluster)) === 1, { withinMs: 2 * minuteMs })
  const [first] = await jobsOf(cluster)
  await cluster.until(
    'another took its place',
    async () => {
      const all = await jobsOf(cluster)
      return all.length === 1 && all[0]?.metadata.uid !== first?.metadata.uid
    },
    { withinMs: 2 * minuteMs },
  )
  assert.equal(await activeOf(cluster), 1)
})

behaviour(area, 'CronJob should support CronJob API operations', async (t) => {
  const cluster = await wholeCluster(t)
  const { client } = cluster
  const collection = client.resource(cronJobs, namespace)
  for (const path of ['/apis', '/apis/batch', '/apis/batch/v1']) {
    const found = JSON.stringify(await client.raw({ method: 'GET', path }))
    assert.match(found, path === '/apis/batch/v1' ? /"cronjobs"/ : /"batch"/)
  }
  const created = await create(cluster, { suspend: true })
  const { resourceVersion } = created.metadata
  assert.equal((await collection.get('tick')).metadata.uid, created.metadata.uid)
  assert.equal((await collection.list({ labelSelector: 'app=tick' })).items.length, 1)
  const patch = { metadata: { annotations: { patched: 'true' } } }
  assert.equal((await collection.patch('tick', { type: 'merge', patch })).metadata.annotations?.patched, 'true')
  const { metadata, ...rest } = await collection.get('tick')
  await collection.update({
    ...rest,
    metadata: { ...metadata, annotations: { ...metadata.annotations, updated: 'true' } },
  })
  for await (const event of collection.watch({ resourceVersion })) {
    if (event.type === 'MODIFIED' && event.object.metadata.annotations?.updated === 'true') break
  }
  const lastScheduleTime = '2026-01-01T00:00:00Z'
  const status = { lastScheduleTime }
  await collection.patch('tick', { type: 'merge', patch: { status } }, { subresource: 'status' })
  assert.equal((await read(cluster)).status?.lastScheduleTime, lastScheduleTime)
  const known = await read(cluster)
  await collection.updateStatus({ ...known, status: { lastScheduleTime: '2026-01-01T00:01:00Z' } })
  assert.equal((await read(cluster)).status?.lastScheduleTime, '2026-01-01T00:01:00Z')
  await collection.delete('tick')
  await cluster.until('it is gone', async () => (await collection.list()).items.length === 0)
  await create(cluster, { suspend: true })
  await showCollection(cluster, cronJobs, 'app=tick', 1)
})
