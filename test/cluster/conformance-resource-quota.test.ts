/**
 * Goal: quotas and limit ranges work as in a conformant cluster. Method: the whole cluster in this process, one test for
 * each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { KubernetesObject, New, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Container, Pod, PodSpec, ResourceQuotaSpec } from '#api/types/core.v1.ts'
import {
  configMaps,
  limitRanges,
  namespaces,
  pods,
  replicaSets,
  replicationControllers,
  resourceQuotas,
  secrets,
  services,
} from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { namespace, readPart, templateOf } from './harness/workloads.ts'

const area = 'apimachinery/resource_quota'

/** What a namespace has before a test puts anything into it: the CA's config map. */
const found = 1

const hardObjects = {
  pods: '5',
  services: '10',
  'services.nodeports': '1',
  'services.loadbalancers': '1',
  replicationcontrollers: '10',
  resourcequotas: '1',
  cpu: '1',
  memory: '500Mi',
  configmaps: '10',
  secrets: '10',
  'ephemeral-storage': '50Gi',
  'requests.storage': '10Gi',
  'count/replicasets.apps': '5',
  'requests.example.com/dongle': '3',
}

async function createQuota({ client }: WholeCluster, spec: ResourceQuotaSpec, name = 'quota'): Promise<void> {
  await client.resource(resourceQuotas, namespace).create({ metadata: { name, labels: { made: 'here' } }, spec })
}

async function uses(cluster: WholeCluster, used: Readonly<Record<string, string>>, name = 'quota'): Promise<void> {
  await cluster.until(`${name} has used ${JSON.stringify(used)}`, async () => {
    const { status } = await cluster.client.resource(resourceQuotas, namespace).get(name)
    return Object.entries(used).every(([resource, amount]) => status?.used?.[resource] === amount)
  })
}

/** Creating the object puts `counted` on the books, deleting it takes it off. */
async function showLife<T extends KubernetesObject>(
  cluster: WholeCluster,
  resource: Resource<T>,
  object: object,
  counts: { readonly [name: string]: readonly [without: string, withIt: string] },
): Promise<void> {
  const at = (index: 0 | 1) => Object.fromEntries(Object.entries(counts).map(([name, pair]) => [name, pair[index]]))
  await createQuota(cluster, { hard: hardObjects })
  await uses(cluster, at(0))
  const collection = cluster.client.resource(resource, namespace)
  await collection.create({ metadata: { name: 'counted' }, ...object } as unknown as New<T>)
  await uses(cluster, at(1))
  await collection.delete('counted')
  await uses(cluster, at(0))
}

const cluster = (t: Parameters<typeof wholeCluster>[0]): Promise<WholeCluster> => wholeCluster(t, { nodes: [] })

function createPod(
  { client }: WholeCluster,
  name: string,
  resources: Container['resources'],
  spec: Partial<PodSpec> = {},
) {
  const template = templateOf({}, resources === undefined ? {} : { resources }, spec)
  return client.resource(pods, namespace).create({ metadata: { name }, spec: template.spec as Pod['spec'] })
}

behaviour(
  area,
  'ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated.',
  async (t) => {
    const own = await cluster(t)
    await createQuota(own, { hard: hardObjects })
    await uses(own, { resourcequotas: '1', pods: '0', cpu: '0', configmaps: String(found) })
  },
)

behaviour(area, 'ResourceQuota should create a ResourceQuota and capture the life of a configMap.', async (t) => {
  await showLife(await cluster(t), configMaps, { data: { a: 'b' } }, { configmaps: [String(found), String(found + 1)] })
})

behaviour(area, 'ResourceQuota should create a ResourceQuota and capture the life of a secret.', async (t) => {
  await showLife(await cluster(t), secrets, { stringData: { a: 'b' } }, { secrets: ['0', '1'] })
})

behaviour(
  area,
  'ResourceQuota should create a ResourceQuota and capture the life of a replication controller.',
  async (t) => {
    const spec = { replicas: 0, selector: { app: 'x' }, template: templateOf({ app: 'x' }) }
    await showLife(await cluster(t), replicationControllers, { spec }, { replicationcontrollers: ['0', '1'] })
  },
)

behaviour(area, 'ResourceQuota should create a ResourceQuota and capture the life of a replica set.', async (t) => {
  const spec = { replicas: 0, selector: { matchLabels: { app: 'x' } }, template: templateOf({ app: 'x' }) }
  await showLife(await cluster(t), replicaSets, { spec }, { 'count/replicasets.apps': ['0', '1'] })
})

behaviour(area, 'ResourceQuota should create a ResourceQuota and capture the life of a service.', async (t) => {
  const own = await cluster(t)
  const { client } = own
  await createQuota(own, { hard: hardObjects })
  await uses(own, { services: '0' })
  const create = (name: string, type: string) =>
    client.resource(services, namespace).create({ metadata: { name }, spec: { type, ports: [{ port: 80 }] } } as never)
  await create('inner', 'ClusterIP')
  await create('outer', 'NodePort')
  await assert.rejects(create('balanced', 'LoadBalancer'), (error) => isStatusError(error, 'Forbidden'))
  await uses(own, { services: '2', 'services.nodeports': '1', 'services.loadbalancers': '0' })
  for (const name of ['inner', 'outer']) await client.resource(services, namespace).delete(name)
  await uses(own, { services: '0', 'services.nodeports': '0' })
})

behaviour(area, 'ResourceQuota should create a ResourceQuota and capture the life of a pod.', async (t) => {
  const own = await cluster(t)
  await createQuota(own, { hard: hardObjects })
  await uses(own, { pods: '0' })
  const requests = { cpu: '500m', memory: '252Mi', 'ephemeral-storage': '30Gi', 'example.com/dongle': '2' }
  const limits = { 'example.com/dongle': '2' }
  await createPod(own, 'counted', { requests, limits })
  const books = {
    pods: '1',
    cpu: '500m',
    memory: '252Mi',
    'ephemeral-storage': '30Gi',
    'requests.example.com/dongle': '2',
  }
  await uses(own, books)
  const forbidden = (error: unknown): boolean => isStatusError(error, 'Forbidden')
  await assert.rejects(
    createPod(own, 'fat', { requests: { ...requests, cpu: '600m' }, limits: { 'example.com/dongle': '1' } }),
    (error) => forbidden(error) || isStatusError(error, 'Invalid'),
  )
  await assert.rejects(
    createPod(own, 'fatter', { requests: { cpu: '600m', memory: '1Mi', 'ephemeral-storage': '1Gi' } }),
    forbidden,
  )
  const extended = { cpu: '1m', memory: '1Mi', 'ephemeral-storage': '1Gi', 'example.com/dongle': '2' }
  await assert.rejects(createPod(own, 'odd', { requests: extended, limits }), forbidden)
  const containers = [
    { name: 'c', resources: { requests: { cpu: '400m', memory: '200Mi', 'ephemeral-storage': '1Gi' } } },
  ]
  const updating = own.client
    .resource(pods, namespace)
    .patch('counted', { type: 'strategic', patch: { spec: { containers } } })
  await assert.rejects(updating, (error) => isStatusError(error, 'Invalid') || forbidden(error))
  await uses(own, books)
  await own.client.resource(pods, namespace).delete('counted', { gracePeriodSeconds: 0 })
  await uses(own, { pods: '0', cpu: '0', memory: '0', 'ephemeral-storage': '0', 'requests.example.com/dongle': '0' })
})

behaviour(area, 'ResourceQuota should verify ResourceQuota with best effort scope.', async (t) => {
  const own = await cluster(t)
  await createQuota(own, { hard: { pods: '5' }, scopes: ['BestEffort'] }, 'best')
  await createQuota(own, { hard: { pods: '5' }, scopes: ['NotBestEffort'] }, 'rest')
  await uses(own, { pods: '0' }, 'best')
  await uses(own, { pods: '0' }, 'rest')
  const remove = (name: string) => own.client.resource(pods, namespace).delete(name, { gracePeriodSeconds: 0 })
  await createPod(own, 'light', undefined)
  await uses(own, { pods: '1' }, 'best')
  await uses(own, { pods: '0' }, 'rest')
  await remove('light')
  await uses(own, { pods: '0' }, 'best')
  const resources = { requests: { cpu: '500m', memory: '200Mi' }, limits: { cpu: '1', memory: '400Mi' } }
  await createPod(own, 'heavy', resources)
  await uses(own, { pods: '1' }, 'rest')
  await uses(own, { pods: '0' }, 'best')
  await remove('heavy')
  await uses(own, { pods: '0' }, 'rest')
})

behaviour(area, 'ResourceQuota should verify ResourceQuota with terminating scopes.', async (t) => {
  const own = await cluster(t)
  const hard = { pods: '5', 'requests.cpu': '1', 'requests.memory': '500Mi', 'limits.cpu': '2', 'limits.memory': '1Gi' }
  await createQuota(own, { hard, scopes: ['Terminating'] }, 'ending')
  await createQuota(own, { hard, scopes: ['NotTerminating'] }, 'lasting')
  await uses(own, { pods: '0' }, 'ending')
  await uses(own, { pods: '0' }, 'lasting')
  const resources = { requests: { cpu: '500m', memory: '200Mi' }, limits: { cpu: '1', memory: '400Mi' } }
  const books = {
    pods: '1',
    'requests.cpu': '500m',
    'requests.memory': '200Mi',
    'limits.cpu': '1',
    'limits.memory': '400Mi',
  }
  for (const [name, spec, mine, other] of [
    ['long', {}, 'lasting', 'ending'],
    ['short', { activeDeadlineSeconds: 3600 }, 'ending', 'lasting'],
  ] as const) {
    await createPod(own, name, resources, spec)
    await uses(own, books, mine)
    await uses(own, { pods: '0' }, other)
    await own.client.resource(pods, namespace).delete(name, { gracePeriodSeconds: 0 })
    await uses(own, { pods: '0', 'requests.cpu': '0' }, mine)
  }
})

behaviour(area, 'ResourceQuota should be able to update and delete ResourceQuota.', async (t) => {
  const own = await cluster(t)
  const collection = own.client.resource(resourceQuotas, namespace)
  await createQuota(own, { hard: { cpu: '1', memory: '500Mi' } })
  assert.deepEqual((await collection.get('quota')).spec?.hard, { cpu: '1', memory: '500Mi' })
  await own.until('the quota was updated', async () => {
    const known = await collection.get('quota')
    const updating = collection.update({ ...known, spec: { hard: { cpu: '2', memory: '1Gi' } } })
    return updating.then(
      () => true,
      () => false,
    )
  })
  assert.deepEqual((await collection.get('quota')).spec?.hard, { cpu: '2', memory: '1Gi' })
  await collection.delete('quota')
  await assert.rejects(collection.get('quota'), (error) => isStatusError(error, 'NotFound'))
})

behaviour(area, 'ResourceQuota should manage the lifecycle of a ResourceQuota', async (t) => {
  const own = await cluster(t)
  const collection = own.client.resource(resourceQuotas, namespace)
  await createQuota(own, { hard: { cpu: '1', memory: '500Mi' } })
  assert.equal((await own.client.resource(resourceQuotas).list({ labelSelector: 'made=here' })).items.length, 1)
  const patch = { metadata: { labels: { patched: 'yes' } }, spec: { hard: { memory: '750Mi' } } }
  const patched = await collection.patch('quota', { type: 'strategic', patch })
  assert.deepEqual(patched.spec?.hard, { cpu: '1', memory: '750Mi' })
  await collection.deleteCollection({ labelSelector: 'patched=yes' })
  assert.deepEqual((await own.client.resource(resourceQuotas).list({ labelSelector: 'patched=yes' })).items, [])
})

behaviour(area, 'ResourceQuota should apply changes to a resourcequota status', async (t) => {
  const own = await cluster(t)
  const { client, until } = own
  const collection = client.resource(resourceQuotas, namespace)
  const hardOf = async () => (await readPart(own, resourceQuotas, 'quota', 'status')).status?.hard
  await createQuota(own, { hard: { cpu: '500m', memory: '500Mi' } })
  await until('the status shows the limits', async () => (await hardOf())?.cpu === '500m')
  await until('the status was updated', async () => {
    const known = await collection.get('quota')
    const updating = collection.updateStatus({
      ...known,
      status: { ...known.status, hard: { cpu: '1', memory: '1Gi' } },
    })
    return updating.then(
      () => true,
      () => false,
    )
  })
  await until('the limits of the spec are back in the status', async () => (await hardOf())?.cpu === '500m')
  await collection.patch('quota', { type: 'merge', patch: { spec: { hard: { cpu: '750m', memory: '750Mi' } } } })
  await until('the new limits show', async () => (await hardOf())?.memory === '750Mi')
  const patch = { spec: { hard: { cpu: '9' } }, status: { hard: { cpu: '2', memory: '2Gi' } } }
  await collection.patch('quota', { type: 'merge', patch }, { subresource: 'status' })
  await until('they come back again', async () => (await hardOf())?.cpu === '750m')
  assert.deepEqual((await collection.get('quota')).spec?.hard, { cpu: '750m', memory: '750Mi' })
})

const ranges = 'scheduling/limit_range'
const amounts = (cpu: string, memory: string) => ({ cpu, memory, 'ephemeral-storage': '200Gi' })

behaviour(
  ranges,
  'LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied.',
  async (t) => {
    const own = await cluster(t)
    const collection = own.client.resource(limitRanges, namespace)
    const min = { cpu: '50m', memory: '100Mi', 'ephemeral-storage': '100Gi' }
    const max = { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' }
    const defaultRequest = amounts('100m', '200Mi')
    const limit = {
      type: 'Container',
      min,
      max,
      default: { cpu: '500m', memory: '500Mi', 'ephemeral-storage': '500Gi' },
      defaultRequest,
    }
    await collection.create({ metadata: { name: 'range' }, spec: { limits: [limit] } } as never)
    assert.deepEqual((await collection.get('range')).spec?.limits[0]?.min, min)
    const plain = await createPod(own, 'plain', undefined)
    assert.deepEqual(plain.spec.containers[0]?.resources, { limits: limit.default, requests: defaultRequest })
    const partial = await createPod(own, 'partial', { requests: { cpu: '300m' }, limits: { memory: '300Mi' } })
    assert.deepEqual(partial.spec.containers[0]?.resources, {
      limits: { ...limit.default, memory: '300Mi' },
      // A limit without a request is the request, before the range has a say.
      requests: { ...defaultRequest, cpu: '300m', memory: '300Mi' },
    })
    const forbidden = (error: unknown): boolean => isStatusError(error, 'Forbidden')
    await assert.rejects(createPod(own, 'small', { requests: { cpu: '10m' } }), forbidden)
    await assert.rejects(createPod(own, 'large', { limits: { cpu: '600m' } }), forbidden)
    const known = await collection.get('range')
    await collection.update({ ...known, spec: { limits: [{ ...limit, min: { ...min, cpu: '9m' } }] } } as never)
    await own.until('smaller pods may be made', async () => {
      return createPod(own, 'small', { requests: { cpu: '10m' } }).then(
        () => true,
        () => false,
      )
    })
    await assert.rejects(createPod(own, 'large', { limits: { cpu: '600m' } }), forbidden)
    await collection.delete('range')
    await own.until('the range is gone', async () => (await collection.list()).items.length === 0)
    await own.until('larger pods may be made', async () => {
      return createPod(own, 'large', { limits: { cpu: '600m' } }).then(
        () => true,
        () => false,
      )
    })
  },
)

behaviour(ranges, 'LimitRange should list, patch and delete a LimitRange by collection', async (t) => {
  const { client } = await cluster(t)
  await client.resource(namespaces).create({ metadata: { name: 'other' }, spec: {} })
  const limits = [{ type: 'Container', defaultRequest: { cpu: '100m' } }]
  for (const where of [namespace, 'other']) {
    await client
      .resource(limitRanges, where)
      .create({ metadata: { name: 'range', labels: { made: 'here' } }, spec: { limits } } as never)
  }
  const list = async () => (await client.resource(limitRanges).list({ labelSelector: 'made=here' })).items
  assert.equal((await list()).length, 2)
  const patch = { spec: { limits: [{ type: 'Container', default: { cpu: '250m' }, defaultRequest: { cpu: '50m' } }] } }
  const patched = await client.resource(limitRanges, namespace).patch('range', { type: 'strategic', patch })
  assert.deepEqual(patched.spec?.limits[0]?.default, { cpu: '250m' })
  await client.resource(limitRanges, namespace).deleteCollection({ labelSelector: 'made=here' })
  assert.deepEqual(
    (await list()).map(({ metadata }) => metadata.namespace),
    ['other'],
  )
})
