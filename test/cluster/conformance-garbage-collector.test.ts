/**
 * Goal: the garbage collector and the deletion of namespaces work as in a conformant cluster. Method: the whole cluster
 * in this process with simulated nodes, one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import { controllerOf } from '#api/meta/owner.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Namespace, Pod, ReplicationController } from '#api/types/core.v1.ts'
import {
  configMaps,
  deployments,
  namespaces,
  pods,
  replicaSets,
  replicationControllers,
  services,
} from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { addNamespace, wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { livePods, namespace, templateOf } from './harness/workloads.ts'

const area = 'apimachinery/garbage_collector'
const labels = { app: 'web' }

async function createController(cluster: WholeCluster, name: string, replicas: number): Promise<ReplicationController> {
  const marks = { app: name }
  const spec = { replicas, selector: marks, template: templateOf(marks) }
  const made = await cluster.client
    .resource(replicationControllers, namespace)
    .create({ metadata: { name }, spec } as never)
  await cluster.until(
    `${replicas} pods exist`,
    async () => (await livePods(cluster, `app=${name}`)).length === replicas,
  )
  return made
}

const remove = ({ client }: WholeCluster, name: string, propagationPolicy: 'Foreground' | 'Background' | 'Orphan') =>
  client.resource(replicationControllers, namespace).delete(name, { propagationPolicy })

const controllersLeft = async ({ client }: WholeCluster): Promise<number> =>
  (await client.resource(replicationControllers, namespace).list()).items.length

async function deploy(cluster: WholeCluster): Promise<void> {
  const spec = { replicas: 2, selector: { matchLabels: labels }, template: templateOf(labels) }
  await cluster.client.resource(deployments, namespace).create({ metadata: { name: 'web' }, spec } as never)
  await cluster.until('its pods exist', async () => (await livePods(cluster, 'app=web')).length === 2)
}

const referenceTo = ({ metadata }: KubernetesObject, kind: string, apiVersion = 'v1') => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
})

behaviour(area, 'Garbage collector should delete pods created by rc when not orphaning', async (t) => {
  const cluster = await wholeCluster(t)
  await createController(cluster, 'web', 2)
  await remove(cluster, 'web', 'Background')
  await cluster.until('its pods are gone', async () => (await livePods(cluster, 'app=web')).length === 0)
})

behaviour(area, 'Garbage collector should orphan pods created by rc if delete options say so', async (t) => {
  const cluster = await wholeCluster(t)
  await createController(cluster, 'web', 10)
  await remove(cluster, 'web', 'Orphan')
  await cluster.until('the controller is gone', async () => (await controllersLeft(cluster)) === 0)
  await cluster.pass(30_000)
  const left = await livePods(cluster, 'app=web')
  assert.equal(left.length, 10)
  assert.ok(left.every((pod) => controllerOf(pod) === undefined))
})

behaviour(area, 'Garbage collector should delete RS created by deployment when not orphaning', async (t) => {
  const cluster = await wholeCluster(t)
  await deploy(cluster)
  await cluster.client.resource(deployments, namespace).delete('web', { propagationPolicy: 'Background' })
  await cluster.until('sets and pods are gone', async () => {
    const sets = await cluster.client.resource(replicaSets, namespace).list()
    return sets.items.length + (await livePods(cluster, 'app=web')).length === 0
  })
})

behaviour(
  area,
  'Garbage collector should orphan RS created by deployment when deleteOptions.PropagationPolicy is Orphan',
  async (t) => {
    const cluster = await wholeCluster(t)
    await deploy(cluster)
    await cluster.client.resource(deployments, namespace).delete('web', { propagationPolicy: 'Orphan' })
    await cluster.until(
      'the deployment is gone',
      async () => (await cluster.client.resource(deployments, namespace).list()).items.length === 0,
    )
    await cluster.pass(30_000)
    const { items } = await cluster.client.resource(replicaSets, namespace).list()
    assert.deepEqual(
      items.map((set) => [set.spec.replicas, controllerOf(set)]),
      [[2, undefined]],
    )
    assert.equal((await livePods(cluster, 'app=web')).length, 2)
  },
)

behaviour(
  area,
  'Garbage collector should keep the rc around until all its pods are deleted if the deleteOptions says so',
  async (t) => {
    const cluster = await wholeCluster(t)
    await createController(cluster, 'web', 10)
    const { resourceVersion } = await cluster.client.resource(pods, namespace).list()
    await remove(cluster, 'web', 'Foreground')
    await cluster.until('the controller is gone', async () => (await controllersLeft(cluster)) === 0)
    const { items } = await cluster.client.resource(pods, namespace).list({ labelSelector: 'app=web' })
    assert.deepEqual(items, [], 'no pod outlives its controller')
    assert.ok(Number(resourceVersion) > 0)
  },
)

behaviour(
  area,
  "Garbage collector should not delete dependents that have both valid owner and owner that's waiting for dependents to be deleted",
  async (t) => {
    const cluster = await wholeCluster(t)
    await createController(cluster, 'web', 10)
    const keeper = await createController(cluster, 'keeper', 0)
    const half = (await livePods(cluster, 'app=web')).slice(0, 5)
    for (const { metadata } of half) {
      const ownerReferences = [...(metadata.ownerReferences ?? []), referenceTo(keeper, 'ReplicationController')]
      await cluster.client
        .resource(pods, namespace)
        .patch(metadata.name, { type: 'merge', patch: { metadata: { ownerReferences } } })
    }
    await remove(cluster, 'web', 'Foreground')
    await cluster.until('only the keeper is left', async () => (await controllersLeft(cluster)) === 1)
    await cluster.pass(30_000)
    const left = await livePods(cluster, 'app=web')
    assert.deepEqual(left.map(({ metadata }) => metadata.name).sort(), half.map(({ metadata }) => metadata.name).sort())
    assert.ok(left.every(({ metadata }) => metadata.ownerReferences?.length === 1))
  },
)

behaviour(area, 'Garbage collector should not be blocked by dependency circle', async (t) => {
  const cluster = await wholeCluster(t)
  const collection = cluster.client.resource(pods, namespace)
  const { spec } = templateOf(labels)
  const made: Pod[] = []
  for (const name of ['pod1', 'pod2', 'pod3'])
    made.push(await collection.create({ metadata: { name, labels }, spec: spec as Pod['spec'] }))
  for (const [at, pod] of made.entries()) {
    const owner = made[(at + 2) % 3] as Pod
    const ownerReferences = [{ ...referenceTo(owner, 'Pod'), controller: true, blockOwnerDeletion: true }]
    await collection.patch(pod.metadata.name, { type: 'strategic', patch: { metadata: { ownerReferences } } })
  }
  await collection.delete('pod1', { propagationPolicy: 'Foreground' })
  await cluster.until('all three are gone', async () => (await collection.list()).items.length === 0)
})

const spaces = 'apimachinery/namespace'

async function removeNamespace({ client, until }: WholeCluster, name: string): Promise<void> {
  await client.resource(namespaces).delete(name)
  await until('the namespace is gone', async () => {
    const { items } = await client.resource(namespaces).list()
    return !items.some(({ metadata }) => metadata.name === name)
  })
}

behaviour(spaces, 'Namespaces should ensure that all pods are removed when a namespace is deleted', async (t) => {
  const cluster = await wholeCluster(t)
  await addNamespace(cluster, 'doomed')
  const { spec } = templateOf(labels)
  await cluster.client.resource(pods, 'doomed').create({ metadata: { name: 'web' }, spec: spec as Pod['spec'] })
  await cluster.until(
    'the pod runs',
    async () => (await cluster.client.resource(pods, 'doomed').get('web')).status?.phase === 'Running',
  )
  await removeNamespace(cluster, 'doomed')
  await addNamespace(cluster, 'doomed')
  assert.deepEqual((await cluster.client.resource(pods, 'doomed').list()).items, [])
})

behaviour(spaces, 'Namespaces should ensure that all services are removed when a namespace is deleted', async (t) => {
  const cluster = await wholeCluster(t)
  await addNamespace(cluster, 'doomed')
  const spec = { ports: [{ port: 80 }], selector: labels }
  await cluster.client.resource(services, 'doomed').create({ metadata: { name: 'web' }, spec } as never)
  await removeNamespace(cluster, 'doomed')
  await addNamespace(cluster, 'doomed')
  assert.deepEqual((await cluster.client.resource(services, 'doomed').list()).items, [])
})

behaviour(spaces, 'Namespaces should patch a Namespace', async (t) => {
  const { client } = await wholeCluster(t)
  await client
    .resource(namespaces)
    .patch('test', { type: 'strategic', patch: { metadata: { labels: { patched: 'yes' } } } })
  assert.equal((await client.resource(namespaces).get('test')).metadata.labels?.['patched'], 'yes')
})

async function update(
  { client, until }: WholeCluster,
  change: (known: Namespace) => Namespace,
  finalize = false,
): Promise<void> {
  await until('the namespace was updated', async () => {
    const body = change(await client.resource(namespaces).get('test'))
    const path = `/api/v1/namespaces/test${finalize ? '/finalize' : ''}`
    return client.raw({ method: 'PUT', path, body }).then(
      () => true,
      (error: unknown) => !isStatusError(error, 'Conflict'),
    )
  })
}

behaviour(spaces, 'Namespaces should apply an update to a Namespace', async (t) => {
  const cluster = await wholeCluster(t)
  const marked = (known: Namespace): Namespace => ({
    ...known,
    metadata: { ...known.metadata, labels: { ...known.metadata.labels, updated: 'yes' } },
  })
  await update(cluster, marked)
  assert.equal((await cluster.client.resource(namespaces).get('test')).metadata.labels?.['updated'], 'yes')
})

behaviour(spaces, 'Namespaces should apply a finalizer to a Namespace', async (t) => {
  const cluster = await wholeCluster(t)
  const read = async () => (await cluster.client.resource(namespaces).get('test')).spec?.finalizers
  const fake = 'e2e.example.com/fake-finalizer'
  await update(
    cluster,
    (known) => ({ ...known, spec: { finalizers: [...(known.spec?.finalizers ?? []), fake] } }),
    true,
  )
  assert.deepEqual(await read(), ['kubernetes', fake])
  await update(cluster, (known) => ({ ...known, spec: { finalizers: ['kubernetes'] } }), true)
  assert.deepEqual(await read(), ['kubernetes'])
})

behaviour(spaces, 'Namespaces should apply changes to a namespace status', async (t) => {
  const cluster = await wholeCluster(t)
  const { client } = cluster
  const path = '/api/v1/namespaces/test/status'
  const conditions = async (): Promise<readonly string[]> => {
    const { status } = (await client.raw({ method: 'GET', path })) as Namespace
    return (status?.conditions ?? []).map(({ type }) => type)
  }
  assert.equal((await client.resource(namespaces).get('test')).status?.phase, 'Active')
  const condition = (type: string) => ({ type, status: 'True', reason: 'E2E', message: 'Set from a test' })
  const contentType = 'application/merge-patch+json'
  await client.raw({ method: 'PATCH', path, contentType, body: { status: { conditions: [condition('StatusPatch')] } } })
  assert.deepEqual(await conditions(), ['StatusPatch'])
  const known = await client.resource(namespaces).get('test')
  await client.raw({
    method: 'PUT',
    path,
    body: { ...known, status: { ...known.status, conditions: [condition('StatusUpdate')] } },
  })
  assert.deepEqual(await conditions(), ['StatusUpdate'])
})

behaviour(spaces, 'OrderedNamespaceDeletion namespace deletion should delete pod first', async (t) => {
  const cluster = await wholeCluster(t)
  const { client } = cluster
  await addNamespace(cluster, 'doomed')
  const { spec } = templateOf(labels)
  const finalizers = ['e2e.example.com/finalizer']
  await client.resource(pods, 'doomed').create({ metadata: { name: 'web', finalizers }, spec: spec as Pod['spec'] })
  await client.resource(configMaps, 'doomed').create({ metadata: { name: 'settings' } })
  await client.resource(namespaces).delete('doomed')
  await cluster.until(
    'the pod is marked',
    async () => (await client.resource(pods, 'doomed').get('web')).metadata.deletionTimestamp !== undefined,
  )
  await cluster.pass(5_000)
  const settings = await client.resource(configMaps, 'doomed').get('settings')
  assert.equal(settings.metadata.deletionTimestamp, undefined, 'the rest waits for the pods')
  const { status } = await client.resource(namespaces).get('doomed')
  const remaining = status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining')
  assert.match(remaining?.message ?? '', /pods\. has 1 resource instances/)
  await client.resource(pods, 'doomed').patch('web', { type: 'merge', patch: { metadata: { finalizers: null } } })
  await cluster.until('the namespace is gone', async () => {
    const { items } = await client.resource(namespaces).list()
    return !items.some(({ metadata }) => metadata.name === 'doomed')
  })
})
