/**
 * Goal: Deployments behave as a conformant cluster's do. Method: the whole cluster in this process with simulated nodes,
 * one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { Deployment, DeploymentSpec, ReplicaSet } from '#api/types/apps.v1.ts'
import { deployments, pods, replicaSets } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import {
  livePods,
  namespace,
  showScaleEndpoint,
  showStatusEndpoint,
  templateOf,
  withMissingImage,
} from './harness/workloads.ts'

const labels = { app: 'web' }
const area = 'apps/deployment'

async function deploy(cluster: WholeCluster, spec: Partial<DeploymentSpec> = {}, name = 'web'): Promise<Deployment> {
  const selector = { matchLabels: labels }
  return cluster.client.resource(deployments, namespace).create({
    metadata: { name, labels },
    spec: { replicas: 1, selector, template: templateOf(labels), ...spec } as DeploymentSpec,
  })
}

const read = ({ client }: WholeCluster): Promise<Deployment> => client.resource(deployments, namespace).get('web')

const change = ({ client }: WholeCluster, spec: object): Promise<Deployment> =>
  client.resource(deployments, namespace).patch('web', { type: 'strategic', patch: { spec } })

const newImage = (image: string) => ({ template: { spec: { containers: [{ name: 'c', image }] } } })

async function rolledOut(cluster: WholeCluster): Promise<void> {
  await cluster.until('the rollout is complete', async () => {
    const { metadata, spec, status } = await read(cluster)
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === spec.replicas &&
      status?.replicas === spec.replicas &&
      status?.availableReplicas === spec.replicas
    )
  })
}

async function setsOf({ client }: WholeCluster): Promise<readonly ReplicaSet[]> {
  const { items } = await client.resource(replicaSets, namespace).list({ labelSelector: 'app=web' })
  return items.toSorted((a, b) => revisionOf(a) - revisionOf(b))
}

function revisionOf({ metadata }: ReplicaSet): number {
  return Number(metadata.annotations?.['deployment.kubernetes.io/revision'])
}

behaviour(area, 'Deployment RollingUpdateDeployment should delete old pods and create new ones', async (t) => {
  const cluster = await wholeCluster(t)
  const created = { metadata: { name: 'old', namespace, labels: { ...labels, pod: 'httpd' } } }
  const spec = {
    replicas: 1,
    selector: { matchLabels: { pod: 'httpd' } },
    template: templateOf(created.metadata.labels),
  }
  await cluster.client.resource(replicaSets, namespace).create({
    metadata: { ...created.metadata, annotations: { 'deployment.kubernetes.io/revision': '3546343826724305832' } },
    spec,
  } as never)
  await cluster.until('the old pod runs', async () =>
    (await livePods(cluster, 'pod=httpd')).some(({ status }) => status?.phase === 'Running'),
  )
  const selector = { matchLabels: { pod: 'httpd' } }
  await deploy(cluster, { selector, template: templateOf(created.metadata.labels, { image: 'app:2' }) })
  await rolledOut(cluster)
  const sets = await setsOf(cluster)
  assert.equal(sets.length, 2)
  const old = sets.find(({ metadata }) => metadata.name === 'old')
  assert.equal(old?.spec.replicas, 0)
  assert.equal(old?.metadata.ownerReferences?.[0]?.kind, 'Deployment')
  assert.deepEqual(
    (await livePods(cluster, 'pod=httpd')).map(({ spec }) => spec.containers[0]?.image),
    ['app:2'],
  )
})

behaviour(area, 'Deployment RecreateDeployment should delete old pods and create new ones', async (t) => {
  const cluster = await wholeCluster(t)
  await deploy(cluster, { replicas: 3, strategy: { type: 'Recreate' } })
  await rolledOut(cluster)
  const seen: string[] = []
  const stop = new AbortController()
  t.after(() => stop.abort())
  const images = new Map<string, string>()
  const { resourceVersion, items } = await cluster.client.resource(pods, namespace).list()
  for (const { metadata, spec } of items) images.set(metadata.name, spec.containers[0]?.image ?? '')
  const watching = (async () => {
    for await (const event of cluster.client
      .resource(pods, namespace)
      .watch({ resourceVersion, signal: stop.signal })) {
      if (event.type === 'BOOKMARK') continue
      const { metadata, spec } = event.object
      if (event.type === 'DELETED') images.delete(metadata.name)
      else images.set(metadata.name, spec.containers[0]?.image ?? '')
      seen.push([...new Set(images.values())].sort().join('+'))
    }
  })().catch(() => undefined)
  await change(cluster, newImage('app:2'))
  await rolledOut(cluster)
  stop.abort()
  await watching
  assert.ok(!seen.includes('app:1+app:2'), 'old and new pods ran together')
  assert.equal(seen.at(-1), 'app:2')
})

behaviour(area, 'Deployment deployment should delete old replica sets', async (t) => {
  const cluster = await wholeCluster(t)
  await deploy(cluster, { revisionHistoryLimit: 0 })
  await rolledOut(cluster)
  for (const image of ['app:2', 'app:3']) {
    await change(cluster, newImage(image))
    await rolledOut(cluster)
  }
  await cluster.until('only the current set is left', async () => (await setsOf(cluster)).length === 1)
  assert.equal((await setsOf(cluster))[0]?.spec.template?.spec?.containers[0]?.image, 'app:3')
})

behaviour(area, 'Deployment deployment should support rollover', async (t) => {
  const cluster = await wholeCluster(t, { node: { behaviour: withMissingImage } })
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } as const
  await deploy(cluster, { minReadySeconds: 10, strategy })
  await rolledOut(cluster)
  await change(cluster, newImage('missing:1'))
  await cluster.until('the broken set has its pod', async () => (await setsOf(cluster))[1]?.status?.replicas === 1)
  assert.equal((await read(cluster)).status?.availableReplicas, 1)
  await change(cluster, newImage('app:3'))
  await rolledOut(cluster)
  const sets = await setsOf(cluster)
  assert.deepEqual(
    sets.map(({ spec }) => spec.replicas),
    [0, 0, 1],
  )
})

behaviour(area, 'Deployment deployment should support proportional scaling', async (t) => {
  const cluster = await wholeCluster(t, { node: { behaviour: withMissingImage } })
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 2, maxSurge: 3 } } as const
  await deploy(cluster, { replicas: 10, strategy })
  await rolledOut(cluster)
  await change(cluster, newImage('missing:1'))
  await cluster.until('the rollout is stuck in the middle', async () => {
    const [first, second] = await setsOf(cluster)
    return first?.status?.availableReplicas === 8 && second?.status?.replicas === 5
  })
  await change(cluster, { replicas: 30 })
  await cluster.until('both sets have grown in proportion', async () => {
    const [first, second] = await setsOf(cluster)
    return first?.spec.replicas === 20 && second?.spec.replicas === 13
  })
})

behaviour(area, 'Deployment Deployment should have a working scale subresource', async (t) => {
  const cluster = await wholeCluster(t)
  await deploy(cluster)
  await rolledOut(cluster)
  await showScaleEndpoint(cluster, deployments, 'web')
  await rolledOut(cluster)
  assert.equal((await livePods(cluster, 'app=web')).length, 4)
})

behaviour(area, 'Deployment should validate Deployment Status endpoints', async (t) => {
  const cluster = await wholeCluster(t)
  await deploy(cluster)
  await rolledOut(cluster)
  await showStatusEndpoint(cluster, deployments, 'web')
})

behaviour(area, 'Deployment should run the lifecycle of a Deployment', async (t) => {
  const cluster = await wholeCluster(t)
  const { client } = cluster
  await deploy(cluster)
  await rolledOut(cluster)
  const patch = { metadata: { labels: { patched: 'true' } }, spec: { replicas: 2, ...newImage('app:2') } }
  await client.resource(deployments, namespace).patch('web', { type: 'strategic', patch })
  await rolledOut(cluster)
  const found = await client.resource(deployments).list({ labelSelector: 'patched=true' })
  assert.deepEqual(
    found.items.map(({ metadata, spec }) => [metadata.name, spec.replicas]),
    [['web', 2]],
  )
  const statusPatch = { metadata: { labels: { status: 'patched' } }, status: { readyReplicas: 2 } }
  await client
    .resource(deployments, namespace)
    .patch('web', { type: 'merge', patch: statusPatch }, { subresource: 'status' })
  await cluster.until('the update was written', async () => {
    const { metadata, ...deployment } = await read(cluster)
    const relabelled = { ...metadata, labels: { ...labels, updated: 'yes' } }
    const updating = client.resource(deployments, namespace).update({ ...deployment, metadata: relabelled })
    return updating.then(
      () => true,
      () => false,
    )
  })
  await rolledOut(cluster)
  await client.resource(deployments, namespace).deleteCollection({ labelSelector: 'updated=yes' })
  await cluster.until('nothing is left', async () => {
    const left = await client.resource(deployments, namespace).list()
    return left.items.length === 0 && (await livePods(cluster, 'app=web')).length === 0
  })
})
