/**
 * Goal: ReplicaSets and ReplicationControllers behave as a conformant cluster's do. Method: the whole cluster in this
 * process with simulated nodes, one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import { controllerOf } from '#api/meta/owner.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import type { ReplicaSet } from '#api/types/apps.v1.ts'
import type { Pod, ReplicationController } from '#api/types/core.v1.ts'
import { pods, replicaSets, replicationControllers, resourceQuotas } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import {
  livePods,
  namespace,
  showCollection,
  showScaleEndpoint,
  showStatusEndpoint,
  templateOf,
} from './harness/workloads.ts'

const labels = { app: 'web' }

async function createSet({ client }: WholeCluster, replicas: number, name = 'web'): Promise<ReplicaSet> {
  const spec = { replicas, selector: { matchLabels: labels }, template: templateOf(labels) }
  return client.resource(replicaSets, namespace).create({ metadata: { name, labels }, spec })
}

async function createController({ client }: WholeCluster, replicas: number): Promise<ReplicationController> {
  const spec = { replicas, selector: labels, template: templateOf(labels) }
  return client.resource(replicationControllers, namespace).create({ metadata: { name: 'web', labels }, spec } as never)
}

interface Counted extends KubernetesObject {
  readonly status?: { readonly readyReplicas?: number }
}

async function ready({ client, until }: WholeCluster, resource: Resource<never>, count: number): Promise<void> {
  await until(`${count} replicas are ready`, async () => {
    const { status } = await client.resource(resource as Resource<Counted>, namespace).get('web')
    return (status?.readyReplicas ?? 0) === count
  })
}

const sets = replicaSets as Resource<never>
const controllers = replicationControllers as Resource<never>

async function createOrphan({ client }: WholeCluster): Promise<Pod> {
  const { spec } = templateOf(labels)
  return client.resource(pods, namespace).create({ metadata: { name: 'orphan', labels }, spec: spec as Pod['spec'] })
}

/** An orphan that matches is adopted; a pod whose label is changed is let go and replaced. */
async function showRelease(cluster: WholeCluster, kind: string): Promise<void> {
  const { client, until } = cluster
  await until('the pod has an owner', async () => (await livePods(cluster, 'app=web')).some((pod) => controllerOf(pod)))
  const [owned] = await livePods(cluster, 'app=web')
  assert.equal(owned && controllerOf(owned)?.kind, kind)
  const name = owned?.metadata.name ?? ''
  await client
    .resource(pods, namespace)
    .patch(name, { type: 'merge', patch: { metadata: { labels: { app: 'other' } } } })
  await until('the pod is let go', async () => {
    const pod = await client.resource(pods, namespace).get(name)
    return controllerOf(pod) === undefined
  })
  await until('another pod took its place', async () => (await livePods(cluster, 'app=web')).length === 1)
}

behaviour(
  'apps/replica_set',
  'ReplicaSet should adopt matching pods on creation and release no longer matching pods',
  async (t) => {
    const cluster = await wholeCluster(t)
    const orphan = await createOrphan(cluster)
    await createSet(cluster, 1)
    await cluster.until('the orphan is adopted', async () => {
      const pod = await cluster.client.resource(pods, namespace).get(orphan.metadata.name)
      return controllerOf(pod)?.name === 'web'
    })
    assert.equal((await livePods(cluster, 'app=web')).length, 1)
    await showRelease(cluster, 'ReplicaSet')
  },
)

behaviour('apps/replica_set', 'ReplicaSet Replicaset should have a working scale subresource', async (t) => {
  const cluster = await wholeCluster(t)
  await createSet(cluster, 1)
  await ready(cluster, sets, 1)
  await showScaleEndpoint(cluster, replicaSets, 'web')
  await ready(cluster, sets, 4)
})

behaviour('apps/replica_set', 'ReplicaSet Replace and Patch tests', async (t) => {
  const cluster = await wholeCluster(t)
  const collection = cluster.client.resource(replicaSets, namespace)
  await createSet(cluster, 1)
  await ready(cluster, sets, 1)
  await cluster.until('the set was replaced', async () => {
    const known = await collection.get('web')
    const replacing = collection.update({ ...known, spec: { ...known.spec, replicas: 2 } })
    return replacing.then(
      () => true,
      () => false,
    )
  })
  await ready(cluster, sets, 2)
  const template = { spec: { terminationGracePeriodSeconds: 7, containers: [{ name: 'c', image: 'app:2' }] } }
  const patch = { metadata: { labels: { patched: 'yes' } }, spec: { replicas: 3, template } }
  await collection.patch('web', { type: 'strategic', patch })
  await ready(cluster, sets, 3)
  const { metadata, spec } = await collection.get('web')
  assert.equal(metadata.labels?.patched, 'yes')
  assert.equal(spec.template?.spec?.containers[0]?.image, 'app:2')
  assert.deepEqual((await livePods(cluster, 'app=web')).map(({ spec: pod }) => pod.containers[0]?.image ?? '').sort(), [
    'app:1',
    'app:1',
    'app:2',
  ])
})

behaviour('apps/replica_set', 'ReplicaSet should list and delete a collection of ReplicaSets', async (t) => {
  const cluster = await wholeCluster(t)
  await createSet(cluster, 3)
  await ready(cluster, sets, 3)
  await showCollection(cluster, replicaSets, 'app=web', 1)
  await cluster.until('its pods are gone', async () => (await livePods(cluster, 'app=web')).length === 0)
})

behaviour('apps/replica_set', 'ReplicaSet should validate Replicaset Status endpoints', async (t) => {
  const cluster = await wholeCluster(t)
  await createSet(cluster, 1)
  await ready(cluster, sets, 1)
  await showStatusEndpoint(cluster, replicaSets, 'web')
})

behaviour('apps/rc', 'ReplicationController should adopt matching pods on creation', async (t) => {
  const cluster = await wholeCluster(t)
  const orphan = await createOrphan(cluster)
  await createController(cluster, 1)
  await cluster.until('the orphan is adopted', async () => {
    const pod = await cluster.client.resource(pods, namespace).get(orphan.metadata.name)
    return controllerOf(pod)?.kind === 'ReplicationController'
  })
  assert.equal((await livePods(cluster, 'app=web')).length, 1)
})

behaviour('apps/rc', 'ReplicationController should release no longer matching pods', async (t) => {
  const cluster = await wholeCluster(t)
  await createController(cluster, 1)
  await showRelease(cluster, 'ReplicationController')
})

behaviour('apps/rc', 'ReplicationController should get and update a ReplicationController scale', async (t) => {
  const cluster = await wholeCluster(t)
  await createController(cluster, 1)
  await ready(cluster, controllers, 1)
  await showScaleEndpoint(cluster, replicationControllers, 'web')
  await ready(cluster, controllers, 4)
})

behaviour(
  'apps/rc',
  'ReplicationController should surface a failure condition on a common issue like exceeded quota',
  async (t) => {
    const cluster = await wholeCluster(t)
    const { client, until } = cluster
    const conditions = async () =>
      (await client.resource(replicationControllers, namespace).get('web')).status?.conditions
    await client
      .resource(resourceQuotas, namespace)
      .create({ metadata: { name: 'two' }, spec: { hard: { pods: '2' } } })
    await until('the quota counts', async () => {
      const quota = await client.resource(resourceQuotas, namespace).get('two')
      return quota.status?.hard?.pods === '2'
    })
    await createController(cluster, 3)
    await until('the failure shows', async () => {
      const failure = (await conditions())?.find(({ type }) => type === 'ReplicaFailure')
      return (
        failure?.status === 'True' &&
        failure.reason === 'FailedCreate' &&
        failure.message?.includes('exceeded quota') === true
      )
    })
    await client
      .resource(replicationControllers, namespace)
      .patch('web', { type: 'merge', patch: { spec: { replicas: 2 } } })
    await until('the failure is gone', async () => !(await conditions())?.some(({ type }) => type === 'ReplicaFailure'))
  },
)

behaviour('apps/rc', 'ReplicationController should test the lifecycle of a ReplicationController', async (t) => {
  const cluster = await wholeCluster(t)
  const { client } = cluster
  const collection = client.resource(replicationControllers, namespace)
  const { resourceVersion } = (await collection.list()).items[0]?.metadata ?? (await collection.list())
  await createController(cluster, 1)
  await ready(cluster, controllers, 1)
  await collection.patch('web', { type: 'merge', patch: { metadata: { labels: { patched: 'yes' } } } })
  await showStatusEndpoint(cluster, replicationControllers, 'web')
  const patch = { spec: { replicas: 2 } }
  await collection.patch('web', { type: 'merge', patch }, { subresource: 'scale' })
  await ready(cluster, controllers, 2)
  const labelled = await client.resource(replicationControllers).list({ labelSelector: 'patched=yes' })
  assert.deepEqual(
    labelled.items.map(({ spec }) => spec?.replicas),
    [2],
  )
  await collection.deleteCollection({ labelSelector: 'patched=yes' })
  const types = new Set<string>()
  for await (const event of collection.watch({ resourceVersion })) {
    types.add(event.type)
    if (event.type === 'DELETED') break
  }
  assert.deepEqual(
    [...types].filter((type) => type !== 'BOOKMARK'),
    ['ADDED', 'MODIFIED', 'DELETED'],
  )
})
