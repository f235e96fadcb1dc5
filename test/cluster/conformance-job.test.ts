/**
 * Goal: Jobs behave as a conformant cluster's do. Method: the whole cluster in this process with simulated nodes, whose
 * containers end as each test tells them; one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import { controllerOf } from '#api/meta/owner.ts'
import type { Job, JobSpec } from '#api/types/batch.v1.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import { jobs, pods } from '#api/types/resources.ts'
import type { ContainerConfig } from '#kubelet/cri/container.ts'
import type { ContainerBehaviour } from '#kubelet/simulated/behaviour.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { livePods, namespace, showCollection, showStatusEndpoint, templateOf } from './harness/workloads.ts'

const area = 'apps/job'
const minutes = { withinMs: 600_000 }

/** A cluster whose containers do as told. */
function clusterOf(t: Parameters<typeof wholeCluster>[0], container: (config: ContainerConfig) => ContainerBehaviour) {
  return wholeCluster(t, { node: { behaviour: { container } } })
}

const succeeds: ContainerBehaviour = { exitAfterMs: 20, exitCode: 0 }
const fails = (exitCode = 1): ContainerBehaviour => ({ exitAfterMs: 20, exitCode })
const runs: ContainerBehaviour = {}

const indexOf = ({ env }: ContainerConfig): number =>
  Number(env.find(({ name }) => name === 'JOB_COMPLETION_INDEX')?.value)

function create(
  { client }: WholeCluster,
  spec: Partial<JobSpec>,
  {
    restartPolicy = 'Never',
    container = {},
  }: { restartPolicy?: 'Never' | 'OnFailure'; container?: Partial<Container> } = {},
): Promise<Job> {
  const template = templateOf({ run: 'work' }, container, { restartPolicy })
  const metadata = { name: 'work', labels: { app: 'work' } }
  return client.resource(jobs, namespace).create({ metadata, spec: { template, ...spec } })
}

const read = ({ client }: WholeCluster): Promise<Job> => client.resource(jobs, namespace).get('work')

async function ended(cluster: WholeCluster, type: 'Complete' | 'Failed'): Promise<Job> {
  await cluster.until(
    `the job is ${type}`,
    async () =>
      (await read(cluster)).status?.conditions?.some((known) => known.type === type && known.status === 'True') ??
      false,
    minutes,
  )
  return read(cluster)
}

const reasonOf = ({ status }: Job, type: string): string | undefined =>
  status?.conditions?.find((condition) => condition.type === type)?.reason

const indexed = (completions: number, parallelism = completions) =>
  ({ completionMode: 'Indexed', completions, parallelism }) as const

behaviour(area, 'Job should run a job to completion when tasks sometimes fail and are locally restarted', async (t) => {
  const cluster = await clusterOf(t, ({ attempt }) => (attempt === 0 ? fails() : succeeds))
  await create(cluster, { parallelism: 2, completions: 4 }, { restartPolicy: 'OnFailure' })
  const job = await ended(cluster, 'Complete')
  assert.equal(job.status?.succeeded, 4)
  const { items } = await cluster.client.resource(pods, namespace).list({ labelSelector: 'job-name=work' })
  assert.deepEqual(
    items.map(({ status }) => status?.containerStatuses?.[0]?.restartCount),
    [1, 1, 1, 1],
  )
})

behaviour(
  area,
  'Job should create pods for an Indexed job with completion indexes and specified hostname',
  async (t) => {
    const cluster = await clusterOf(t, () => succeeds)
    await create(cluster, indexed(4, 2))
    const job = await ended(cluster, 'Complete')
    assert.equal(job.status?.completedIndexes, '0-3')
    const { items } = await cluster.client.resource(pods, namespace).list({ labelSelector: 'job-name=work' })
    const indexes = items.map(
      ({ metadata }) => metadata.annotations?.['batch.kubernetes.io/job-completion-index'] ?? '',
    )
    assert.deepEqual(indexes.sort(), ['0', '1', '2', '3'])
    for (const { metadata, spec } of items) {
      const index = metadata.labels?.['batch.kubernetes.io/job-completion-index']
      assert.equal(spec.hostname, `work-${index}`)
      assert.ok(metadata.name.startsWith(`work-${index}-`))
      assert.ok(spec.containers[0]?.env?.some(({ name }) => name === 'JOB_COMPLETION_INDEX'))
    }
  },
)

behaviour(area, 'Job should delete a job', async (t) => {
  const cluster = await clusterOf(t, () => runs)
  await create(cluster, { parallelism: 2, completions: 4 })
  await cluster.until('two pods run', async () => (await read(cluster)).status?.active === 2)
  await cluster.client.resource(jobs, namespace).delete('work', { propagationPolicy: 'Foreground' })
  await cluster.until('job and pods are gone', async () => {
    const left = await cluster.client.resource(jobs, namespace).list()
    return left.items.length + (await livePods(cluster, 'run=work')).length === 0
  })
})

behaviour(area, 'Job should adopt matching orphans and release non-matching pods', async (t) => {
  const cluster = await clusterOf(t, () => runs)
  await create(cluster, { parallelism: 2, completions: 2 })
  await cluster.until('two pods run', async () => (await read(cluster)).status?.active === 2)
  const [pod] = await livePods(cluster, 'job-name=work')
  const name = pod?.metadata.name ?? ''
  const owner = async (): Promise<string | undefined> => {
    return controllerOf(await cluster.client.resource(pods, namespace).get(name))?.name
  }
  const patch = (metadata: object) =>
    cluster.client.resource(pods, namespace).patch(name, { type: 'merge', patch: { metadata } })
  await patch({ ownerReferences: null })
  await cluster.until('the orphan is adopted again', async () => (await owner()) === 'work')
  const labels = Object.fromEntries(Object.keys(pod?.metadata.labels ?? {}).map((key) => [key, null]))
  await patch({ labels })
  await cluster.until('the pod without labels is let go', async () => (await owner()) === undefined)
})

behaviour(area, 'Job should apply changes to a job status', async (t) => {
  const cluster = await clusterOf(t, () => runs)
  await create(cluster, { parallelism: 2, completions: 4, backoffLimit: 6 })
  await cluster.until('two pods run', async () => (await read(cluster)).status?.active === 2)
  const startTime = '2026-01-01T00:00:07Z'
  const patch = { metadata: { annotations: { patched: 'yes' } }, status: { startTime } }
  const patched = await cluster.client
    .resource(jobs, namespace)
    .patch('work', { type: 'merge', patch }, { subresource: 'status' })
  assert.equal(patched.metadata.annotations?.['patched'], 'yes')
  await showStatusEndpoint(cluster, jobs, 'work')
})

behaviour(area, 'Job should manage the lifecycle of a job', async (t) => {
  const cluster = await clusterOf(t, () => succeeds)
  const collection = cluster.client.resource(jobs, namespace)
  await create(cluster, { parallelism: 1, completions: 1, suspend: true })
  await collection.patch('work', { type: 'strategic', patch: { metadata: { labels: { patched: 'yes' } } } })
  await cluster.until('the job was replaced', async () => {
    const known = await read(cluster)
    const metadata = { ...known.metadata, annotations: { ...known.metadata.annotations, updated: 'true' } }
    return collection.update({ ...known, metadata, spec: { ...known.spec, suspend: false } }).then(
      () => true,
      () => false,
    )
  })
  const job = await ended(cluster, 'Complete')
  assert.equal(job.metadata.annotations?.['updated'], 'true')
  await showCollection(cluster, jobs, 'patched=yes', 1)
})

behaviour(area, 'Job should allow to use the pod failure policy on exit code to fail the job early', async (t) => {
  const cluster = await clusterOf(t, () => fails(42))
  const rule = { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] }, onPodConditions: [] } as const
  await create(cluster, { parallelism: 1, completions: 4, backoffLimit: 6, podFailurePolicy: { rules: [rule] } })
  const job = await ended(cluster, 'Failed')
  assert.equal(reasonOf(job, 'Failed'), 'PodFailurePolicy')
  assert.equal(job.status?.failed, 1)
})

behaviour(
  area,
  'Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition',
  async (t) => {
    const evicted = new Set<string>()
    const cluster = await clusterOf(t, (config) => (evicted.has(String(indexOf(config))) ? succeeds : runs))
    const onPodConditions = [{ type: 'DisruptionTarget', status: 'True' }]
    const rules = [{ action: 'Ignore', onPodConditions }] as const
    await create(cluster, { ...indexed(2), backoffLimit: 0, podFailurePolicy: { rules } })
    await cluster.until('both pods are ready', async () => (await read(cluster)).status?.ready === 2)
    for (const { metadata } of await livePods(cluster, 'job-name=work')) {
      evicted.add(metadata.labels?.['batch.kubernetes.io/job-completion-index'] ?? '')
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: metadata.name } }
      await cluster.client.resource(pods, namespace).createSubresource(metadata.name, 'eviction', body)
    }
    const job = await ended(cluster, 'Complete')
    assert.equal(job.status?.failed ?? 0, 0)
  },
)

behaviour(area, 'Job should execute all indexes despite some failing when using backoffLimitPerIndex', async (t) => {
  const cluster = await clusterOf(t, (config) => (indexOf(config) % 2 === 1 ? fails() : succeeds))
  await create(cluster, { ...indexed(4, 2), backoffLimitPerIndex: 1 })
  const job = await ended(cluster, 'Failed')
  const { failedIndexes, completedIndexes, failed, succeeded } = job.status ?? {}
  assert.deepEqual(
    { failedIndexes, completedIndexes, failed, succeeded },
    { failedIndexes: '1,3', completedIndexes: '0,2', failed: 4, succeeded: 2 },
  )
})

behaviour(
  area,
  'Job should mark indexes as failed when the FailIndex action is matched in podFailurePolicy',
  async (t) => {
    const cluster = await clusterOf(t, (config) => (indexOf(config) % 2 === 1 ? fails(42) : succeeds))
    const rule = { action: 'FailIndex', onExitCodes: { operator: 'In', values: [42] }, onPodConditions: [] } as const
    await create(cluster, { ...indexed(4, 2), backoffLimitPerIndex: 1, podFailurePolicy: { rules: [rule] } })
    const { failedIndexes, completedIndexes, failed, succeeded } = (await ended(cluster, 'Failed')).status ?? {}
    assert.deepEqual(
      { failedIndexes, completedIndexes, failed, succeeded },
      { failedIndexes: '1,3', completedIndexes: '0,2', failed: 2, succeeded: 2 },
    )
  },
)

behaviour(
  area,
  'Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes',
  async (t) => {
    const cluster = await clusterOf(t, (config) => (indexOf(config) === 0 ? fails() : runs))
    await create(cluster, { ...indexed(3), backoffLimitPerIndex: 0, maxFailedIndexes: 0 })
    const job = await ended(cluster, 'Failed')
    assert.equal(reasonOf(job, 'Failed'), 'MaxFailedIndexesExceeded')
    assert.equal(job.status?.failedIndexes, '0')
    assert.equal(job.status?.failed, 3)
  },
)

behaviour(area, 'Job with successPolicy should succeeded when all indexes succeeded', async (t) => {
  const cluster = await clusterOf(t, () => succeeds)
  await create(cluster, { ...indexed(2), successPolicy: { rules: [{ succeededCount: 2 }] } })
  const job = await ended(cluster, 'Complete')
  assert.equal(reasonOf(job, 'SuccessCriteriaMet'), 'SuccessPolicy')
  assert.equal(job.status?.completedIndexes, '0,1')
})

const ruled = [
  [
    'Job with successPolicy succeededIndexes rule should succeeded even when some indexes remain pending',
    { succeededIndexes: '0' },
  ],
  [
    'Job with successPolicy succeededCount rule should succeeded even when some indexes remain pending',
    { succeededCount: 1 },
  ],
] as const

for (const [title, rule] of ruled) {
  behaviour(area, title, async (t) => {
    const cluster = await clusterOf(t, (config) => (indexOf(config) === 0 ? succeeds : runs))
    await create(cluster, { ...indexed(5), successPolicy: { rules: [rule] } })
    const job = await ended(cluster, 'Complete')
    assert.equal(reasonOf(job, 'SuccessCriteriaMet'), 'SuccessPolicy')
    assert.equal(reasonOf(job, 'Complete'), 'SuccessPolicy')
    assert.equal(job.status?.completedIndexes, '0')
    await cluster.until('nothing runs any more', async () =>
      (await livePods(cluster, 'job-name=work')).every((pod: Pod) => pod.status?.phase !== 'Running'),
    )
  })
}
