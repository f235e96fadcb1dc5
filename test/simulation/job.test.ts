import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, JobSpec } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { jobs, pods, serviceAccounts } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function jobCluster(t: Parameters<typeof smallCluster>[0], spec: Partial<JobSpec>): Promise<SmallCluster> {
  const cluster = await smallCluster(t)
  const accounts = cluster.client.resource(serviceAccounts, 'test')
  await cluster.until('pods can be made', async () => (await accounts.list()).items.length > 0)
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
  const whole = { template, ...spec } as unknown as JobSpec
  await cluster.client.resource(jobs, 'test').create({ metadata: { name: 'job' }, spec: whole })
  return cluster
}

async function read({ client }: SmallCluster): Promise<Job> {
  return client.resource(jobs, 'test').get('job')
}

async function podsOf({ client }: SmallCluster): Promise<readonly Pod[]> {
  return (await client.resource(pods, 'test').list()).items
}

async function unfinished(cluster: SmallCluster): Promise<readonly Pod[]> {
  const isOpen = ({ metadata, status }: Pod): boolean =>
    metadata.deletionTimestamp === undefined && (status?.phase === 'Pending' || status?.phase === 'Running')
  return (await podsOf(cluster)).filter(isOpen)
}

async function finish({ client }: SmallCluster, pod: Pod, phase: 'Succeeded' | 'Failed', exitCode = 1): Promise<void> {
  const terminated = { exitCode: phase === 'Succeeded' ? 0 : exitCode, reason: 'Done' }
  const containerStatuses = [
    { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state: { terminated } },
  ]
  const patch = { status: { phase, containerStatuses } }
  await client.resource(pods, 'test').patch(pod.metadata.name, { type: 'merge', patch }, { subresource: 'status' })
}

function conditionsOf({ status }: Job): string {
  return (status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`).join(', ')
}

async function ended(cluster: SmallCluster): Promise<Job> {
  await cluster.until('the job has ended', async () => /\b(Complete|Failed)=/.test(conditionsOf(await read(cluster))))
  await cluster.settle()
  return read(cluster)
}

test('a job runs its completions, so many at once, and counts each once', async (t) => {
  const cluster = await jobCluster(t, { completions: 5, parallelism: 2 })
  let most = 0
  await cluster.until('all have run', async () => {
    const open = await unfinished(cluster)
    most = Math.max(most, open.length)
    for (const pod of open) await finish(cluster, pod, 'Succeeded')
    return (await read(cluster)).status?.succeeded === 5
  })
  const job = await ended(cluster)
  assert.equal(most, 2)
  assert.equal((await podsOf(cluster)).length, 5)
  assert.ok((await podsOf(cluster)).every(({ metadata }) => metadata.finalizers === undefined))
  assert.equal(conditionsOf(job), 'SuccessCriteriaMet=True CompletionsReached, Complete=True CompletionsReached')
  assert.ok(job.status?.startTime && job.status.completionTime)
  assert.equal(job.status.succeeded, 5)
  assert.equal(job.status.failed, undefined)
})

test('failures are tried again, later and later, until the backoff limit', async (t) => {
  const cluster = await jobCluster(t, { backoffLimit: 2 })
  const startMs = cluster.clock.now()
  for (let tries = 0; tries < 3; tries++) {
    await cluster.until('there is a pod', async () => (await unfinished(cluster)).length === 1)
    for (const pod of await unfinished(cluster)) await finish(cluster, pod, 'Failed')
    await cluster.settle()
    if (tries < 2) assert.equal((await unfinished(cluster)).length, 0)
  }
  const job = await ended(cluster)
  assert.equal(conditionsOf(job), 'FailureTarget=True BackoffLimitExceeded, Failed=True BackoffLimitExceeded')
  assert.equal(job.status?.failed, 3)
  const seconds = (cluster.clock.now() - startMs) / 1_000
  assert.ok(seconds >= 30 && seconds < 60, `it took ${seconds} s`)
})

test('an indexed job runs each index once', async (t) => {
  const cluster = await jobCluster(t, { completions: 3, parallelism: 3, completionMode: 'Indexed' })
  await cluster.until('three pods exist', async () => (await podsOf(cluster)).length === 3)
  const indexed = await podsOf(cluster)
  const indexOf = ({ metadata }: Pod): string =>
    metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? ''
  assert.deepEqual(indexed.map(indexOf).toSorted(), ['0', '1', '2'])
  assert.match(indexed[0]?.spec.hostname ?? '', /^job-\d$/)
  assert.ok(indexed[0]?.spec.containers[0]?.env?.some(({ name }) => name === 'JOB_COMPLETION_INDEX'))
  for (const pod of indexed) if (indexOf(pod) !== '1') await finish(cluster, pod, 'Succeeded')
  await cluster.until('two are counted', async () => (await read(cluster)).status?.completedIndexes === '0,2')
  for (const pod of await unfinished(cluster)) await finish(cluster, pod, 'Succeeded')
  assert.equal((await ended(cluster)).status?.completedIndexes, '0-2')
})

test('suspending stops the pods and counts no failure; resuming starts anew', async (t) => {
  const cluster = await jobCluster(t, { completions: 2, parallelism: 2 })
  const collection = cluster.client.resource(jobs, 'test')
  await cluster.until('two pods exist', async () => (await unfinished(cluster)).length === 2)
  await collection.patch('job', { type: 'merge', patch: { spec: { suspend: true } } })
  await cluster.until('they are gone', async () => (await podsOf(cluster)).length === 0)
  const suspended = await read(cluster)
  assert.equal(conditionsOf(suspended), 'Suspended=True JobSuspended')
  assert.equal(suspended.status?.failed, undefined)
  assert.equal(suspended.status?.startTime, undefined)
  await collection.patch('job', { type: 'merge', patch: { spec: { suspend: false } } })
  await cluster.until('two pods exist again', async () => (await unfinished(cluster)).length === 2)
  assert.equal(conditionsOf(await read(cluster)), 'Suspended=False JobResumed')
})

test('the deadline ends a job and its pods', async (t) => {
  const cluster = await jobCluster(t, { activeDeadlineSeconds: 30 })
  await cluster.until('a pod exists', async () => (await unfinished(cluster)).length === 1)
  await cluster.clock.advance(31_000)
  const job = await ended(cluster)
  assert.equal(conditionsOf(job), 'FailureTarget=True DeadlineExceeded, Failed=True DeadlineExceeded')
  assert.equal((await podsOf(cluster)).length, 0)
})

test('a failure policy can end the job at once, or let a failure not count', async (t) => {
  const rules = [
    { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
    { action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } },
  ]
  const cluster = await jobCluster(t, { podFailurePolicy: { rules } as never, backoffLimit: 0 })
  await cluster.until('a pod exists', async () => (await unfinished(cluster)).length === 1)
  for (const pod of await unfinished(cluster)) await finish(cluster, pod, 'Failed', 7)
  await cluster.until('another pod exists', async () => (await unfinished(cluster)).length === 1)
  const [fatal] = await unfinished(cluster)
  assert.ok(fatal)
  await finish(cluster, fatal, 'Failed', 42)
  const { conditions } = (await ended(cluster)).status ?? {}
  assert.equal(
    conditions?.find(({ type }) => type === 'Failed')?.message,
    `Container c for pod test/${fatal.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
  )
})

test('the pods of a deleted job are not held back', async (t) => {
  const cluster = await jobCluster(t, { completions: 2, parallelism: 2 })
  await cluster.until('two pods exist', async () => (await unfinished(cluster)).length === 2)
  await cluster.client.resource(jobs, 'test').delete('job', { propagationPolicy: 'Background' })
  await cluster.until('all is gone', async () => (await podsOf(cluster)).length === 0)
})

const indexNamed = ({ metadata }: Pod): string =>
  metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? ''

test('each index has failures of its own: it is tried again later, and given up alone', async (t) => {
  const spec: Partial<JobSpec> = { completions: 2, parallelism: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1 }
  const cluster = await jobCluster(t, spec)
  const openOf = async (index: string): Promise<Pod | undefined> =>
    (await unfinished(cluster)).find((pod) => indexNamed(pod) === index)
  await cluster.until('two pods exist', async () => (await unfinished(cluster)).length === 2)
  const bad = (await openOf('0')) as Pod
  await finish(cluster, (await openOf('1')) as Pod, 'Succeeded')
  await finish(cluster, bad, 'Failed')
  await cluster.settle()
  assert.equal(await openOf('0'), undefined)
  // It keeps its finalizer, since it knows how often its index has failed.
  assert.ok((await podsOf(cluster)).find(({ metadata }) => metadata.name === bad.metadata.name)?.metadata.finalizers)
  await cluster.clock.advance(11_000)
  await cluster.until('index 0 is tried again', async () => (await openOf('0')) !== undefined)
  const again = (await openOf('0')) as Pod
  assert.equal(again.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1')
  await cluster.until('the first failure is counted', async () => (await read(cluster)).status?.failed === 1)
  await finish(cluster, again, 'Failed')
  const job = await ended(cluster)
  assert.equal(conditionsOf(job), 'FailureTarget=True FailedIndexes, Failed=True FailedIndexes')
  const { failedIndexes, completedIndexes, failed, succeeded } = job.status ?? {}
  assert.deepEqual([failedIndexes, completedIndexes, failed, succeeded], ['0', '1', 2, 1])
  assert.ok((await podsOf(cluster)).every(({ metadata }) => metadata.finalizers === undefined))
})

test('a failure policy can give up an index at once, and too many of them end the job', async (t) => {
  const rules = [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [3] } }]
  const cluster = await jobCluster(t, {
    completions: 4,
    parallelism: 4,
    completionMode: 'Indexed',
    backoffLimitPerIndex: 5,
    maxFailedIndexes: 1,
    podFailurePolicy: { rules } as never,
  })
  await cluster.until('four pods exist', async () => (await unfinished(cluster)).length === 4)
  for (const pod of await unfinished(cluster)) if (indexNamed(pod) === '2') await finish(cluster, pod, 'Failed', 3)
  await cluster.until('one is given up', async () => (await read(cluster)).status?.failedIndexes === '2')
  assert.equal(conditionsOf(await read(cluster)), '')
  for (const pod of await unfinished(cluster)) if (indexNamed(pod) === '0') await finish(cluster, pod, 'Failed', 3)
  const job = await ended(cluster)
  assert.equal(conditionsOf(job), 'FailureTarget=True MaxFailedIndexesExceeded, Failed=True MaxFailedIndexesExceeded')
  assert.equal(job.status?.failedIndexes, '0,2')
})

test('a success policy ends the job when enough of it has succeeded', async (t) => {
  const rules = [{ succeededIndexes: '0,2', succeededCount: 2 }, { succeededCount: 4 }]
  const cluster = await jobCluster(t, {
    completions: 5,
    parallelism: 5,
    completionMode: 'Indexed',
    successPolicy: { rules },
  })
  await cluster.until('five pods exist', async () => (await unfinished(cluster)).length === 5)
  for (const pod of await unfinished(cluster)) {
    if (indexNamed(pod) === '0' || indexNamed(pod) === '2') await finish(cluster, pod, 'Succeeded')
  }
  const job = await ended(cluster)
  assert.equal(conditionsOf(job), 'SuccessCriteriaMet=True SuccessPolicy, Complete=True SuccessPolicy')
  assert.equal(job.status?.conditions?.[0]?.message, 'Matched rules at index 0')
  assert.equal(job.status.succeeded, 2)
  assert.equal(job.status.failed, undefined)
})

test('a job that another controller manages is left alone', async (t) => {
  const cluster = await jobCluster(t, { managedBy: 'example.com/other' })
  await cluster.clock.advance(5_000)
  assert.equal((await podsOf(cluster)).length, 0)
  assert.equal((await read(cluster)).status?.startTime, undefined)
})
