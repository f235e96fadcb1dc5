/**
 * Goal: a HorizontalPodAutoscaler follows each kind of metric, and says why it does or does not. Method: the whole cluster
 * with somebody behind the API server who serves the three metrics APIs from figures that the test sets.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ApiRequest } from '#api/meta/exchange.ts'
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec } from '#api/types/autoscaling.v2.ts'
import { deployments, events, horizontalPodAutoscalers, pods } from '#api/types/resources.ts'
import { wholeCluster, type WholeCluster } from './whole-cluster.ts'

const labels = { app: 'web' }

interface Figures {
  /** Processor use of every pod, and of its container. */
  cpu?: string
  requests?: string
  queue?: string
}

async function autoscaled(t: TestContext, figures: Figures, spec: Partial<HorizontalPodAutoscalerSpec>, replicas = 2) {
  let names: readonly string[] = []
  const cluster = await wholeCluster(t, { extension: (request) => answer(request, figures, names) })
  const container = { name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } }
  const deployment = { replicas, selector: { matchLabels: labels }, template }
  await cluster.client.resource(deployments, 'test').create({ metadata: { name: 'web' }, spec: deployment } as never)
  await cluster.until('the pods run', async () => (await replicasOf(cluster)).ready === replicas)
  // Processor use says nothing while pods start.
  await cluster.pass(310_000)
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
  await cluster.client
    .resource(horizontalPodAutoscalers, 'test')
    .create({ metadata: { name: 'web' }, spec: { scaleTargetRef, minReplicas: 1, maxReplicas: 10, ...spec } })
  const look = async (): Promise<void> => {
    names = (await cluster.client.resource(pods, 'test').list()).items.map(({ metadata }) => metadata.name)
  }
  await look()
  const reaches = (count: number): Promise<void> =>
    cluster.until(
      `${count} replicas are ready`,
      async () => {
        await look()
        return (await replicasOf(cluster)).ready === count
      },
      { withinMs: 900_000 },
    )
  return { cluster, reaches }
}

async function replicasOf({ client }: WholeCluster): Promise<{ wanted: number | undefined; ready: number }> {
  const { spec, status } = await client.resource(deployments, 'test').get('web')
  return { wanted: spec.replicas, ready: status?.readyReplicas ?? 0 }
}

function answer({ path }: ApiRequest, { cpu, requests, queue }: Figures, names: readonly string[]): object | undefined {
  const timestamp = '2026-01-01T01:00:00Z'
  const list = (items: readonly object[]): object => ({ kind: 'List', apiVersion: 'v1', metadata: {}, items })
  if (path.startsWith('/apis/metrics.k8s.io/')) {
    if (cpu === undefined) return list([])
    const containers = [{ name: 'c', usage: { cpu, memory: '1Mi' } }]
    return list(names.map((name) => ({ metadata: { name }, timestamp, window: '15s', containers })))
  }
  if (path.startsWith('/apis/custom.metrics.k8s.io/') && requests !== undefined) {
    const described = path.includes('/pods/*/') ? names : ['front']
    return list(described.map((name) => ({ describedObject: { name }, timestamp, value: requests })))
  }
  if (path.startsWith('/apis/external.metrics.k8s.io/') && queue !== undefined) {
    return list([{ metricName: 'queue', timestamp, value: queue }])
  }
  return undefined
}

const read = ({ client }: WholeCluster): Promise<HorizontalPodAutoscaler> =>
  client.resource(horizontalPodAutoscalers, 'test').get('web')

const condition = async (cluster: WholeCluster, type: string) =>
  (await read(cluster)).status?.conditions?.find((known) => known.type === type)

const cpuOf = (averageUtilization: number): MetricSpec => {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }
}

test('the use of a resource scales up at once and down after five minutes', async (t) => {
  const figures: Figures = { cpu: '100m' }
  const { cluster, reaches } = await autoscaled(t, figures, { metrics: [cpuOf(50)] })
  await reaches(4)
  figures.cpu = '50m'
  await cluster.pass(60_000)
  const { status } = await read(cluster)
  assert.equal(status?.desiredReplicas, 4)
  assert.deepEqual(status?.currentMetrics?.[0]?.resource?.current, { averageUtilization: 50, averageValue: '50m' })
  assert.equal((await condition(cluster, 'ScalingActive'))?.reason, 'ValidMetricFound')
  figures.cpu = '25m'
  await cluster.pass(120_000)
  assert.equal((await replicasOf(cluster)).wanted, 4)
  assert.equal((await condition(cluster, 'AbleToScale'))?.reason, 'ScaleDownStabilized')
  await reaches(2)
  const told = (await cluster.client.resource(events, 'test').list()).items.filter(
    ({ reason }) => reason === 'SuccessfulRescale',
  )
  assert.deepEqual(
    told.map(({ message }) => message),
    [
      'New size: 4; reason: cpu resource utilization (percentage of request) above target',
      'New size: 2; reason: All metrics below target',
    ],
  )
})

const others: readonly { readonly name: string; readonly figures: Figures; readonly metric: MetricSpec }[] = [
  {
    name: 'one container',
    figures: { cpu: '100m' },
    metric: {
      type: 'ContainerResource',
      containerResource: { name: 'cpu', container: 'c', target: { type: 'AverageValue', averageValue: '50m' } },
    },
  },
  {
    name: 'pods',
    figures: { requests: '20' },
    metric: {
      type: 'Pods',
      pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
    },
  },
  {
    name: 'an object',
    figures: { requests: '400' },
    metric: {
      type: 'Object',
      object: {
        describedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'front' },
        metric: { name: 'requests' },
        target: { type: 'Value', value: '200' },
      },
    },
  },
  {
    name: 'something outside',
    figures: { queue: '40' },
    metric: {
      type: 'External',
      external: { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: '10' } },
    },
  },
]

for (const { name, figures, metric } of others) {
  test(`a metric of ${name} at twice its target doubles the replicas`, async (t) => {
    const { reaches } = await autoscaled(t, figures, { metrics: [metric] })
    await reaches(4)
  })
}

test('a metric that cannot be had takes no replica away, and says so', async (t) => {
  const { cluster } = await autoscaled(t, {}, { metrics: [cpuOf(50)] })
  await cluster.until('the failure shows', async () => (await condition(cluster, 'ScalingActive'))?.status === 'False')
  assert.equal((await condition(cluster, 'ScalingActive'))?.reason, 'FailedGetResourceMetric')
  assert.equal((await replicasOf(cluster)).wanted, 2)
})

test('a workload at zero is left alone, one out of range is put into it', async (t) => {
  const { cluster, reaches } = await autoscaled(t, { cpu: '50m' }, { metrics: [cpuOf(50)], minReplicas: 3 })
  await reaches(3)
  const scale = (replicas: number) =>
    cluster.client.resource(deployments, 'test').patch('web', { type: 'merge', patch: { spec: { replicas } } })
  await scale(0)
  await cluster.until(
    'scaling is disabled',
    async () => (await condition(cluster, 'ScalingActive'))?.reason === 'ScalingDisabled',
  )
  await cluster.pass(60_000)
  assert.equal((await replicasOf(cluster)).wanted, 0)
  await scale(20)
  await cluster.until('the maximum is kept', async () => (await replicasOf(cluster)).wanted === 10)
})

test('two autoscalers of the same pods stand still', async (t) => {
  const { cluster } = await autoscaled(t, { cpu: '100m' }, { metrics: [cpuOf(100)] })
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
  const spec = { scaleTargetRef, minReplicas: 1, maxReplicas: 10, metrics: [cpuOf(20)] }
  await cluster.client.resource(horizontalPodAutoscalers, 'test').create({ metadata: { name: 'rival' }, spec })
  await cluster.until(
    'it is told',
    async () => (await condition(cluster, 'ScalingActive'))?.reason === 'AmbiguousSelector',
  )
})

test('a target that is not there is told of', async (t) => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'missing' }
  const { cluster } = await autoscaled(t, {}, { metrics: [cpuOf(50)], scaleTargetRef })
  await cluster.until('it is told', async () => (await condition(cluster, 'AbleToScale'))?.reason === 'FailedGetScale')
})
