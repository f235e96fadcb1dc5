import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import { deviceClasses, events, resourceClaims, resourceSlices } from '#api/types/resources.ts'
import { schedulingCluster, type SchedulingCluster } from './scheduling-cluster.ts'

const driver = 'gpu.example.com'

/** Two nodes with a device each, and a class for them. */
async function clusterWithDevices(t: TestContext): Promise<SchedulingCluster> {
  const cluster = await schedulingCluster(t)
  await cluster.client.resource(deviceClasses).create({ metadata: { name: 'gpu' }, spec: {} })
  for (const name of ['n1', 'n2']) await cluster.addNode(name)
  return cluster
}

async function addDevice({ client }: SchedulingCluster, nodeName: string): Promise<void> {
  const pool = { name: nodeName, generation: 1, resourceSliceCount: 1 }
  const spec = { driver, nodeName, pool, devices: [{ name: 'gpu-0' }] }
  await client.resource(resourceSlices).create({ metadata: { name: `${nodeName}-gpu` }, spec })
}

async function addClaim({ client }: SchedulingCluster, name: string): Promise<void> {
  const requests = [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }]
  await client.resource(resourceClaims, 'test').create({ metadata: { name }, spec: { devices: { requests } } } as never)
}

const using = (name: string) => ({ resourceClaims: [{ name: 'gpu', resourceClaimName: name }] })

test('a pod gets its device with its node, and the claim says so before the pod is bound', async (t) => {
  const cluster = await clusterWithDevices(t)
  await addDevice(cluster, 'n2')
  await addClaim(cluster, 'mine')
  await cluster.addPod('p', using('mine'))
  await cluster.until('it is bound', async () => (await cluster.pod('p')).spec.nodeName === 'n2')
  const { metadata, status } = await cluster.client.resource(resourceClaims, 'test').get('mine')
  const { uid } = (await cluster.pod('p')).metadata
  assert.deepEqual(metadata.finalizers, ['resource.kubernetes.io/delete-protection'])
  assert.deepEqual(status?.reservedFor, [{ resource: 'pods', name: 'p', uid }])
  const [result] = status?.allocation?.devices?.results ?? []
  assert.deepEqual([result?.driver, result?.pool, result?.device], [driver, 'n2', 'gpu-0'])
})

test('a pod waits for a claim, then for a device, and goes on when they come', async (t) => {
  const cluster = await clusterWithDevices(t)
  await addDevice(cluster, 'n1')
  const refusal = async (name: string) => podCondition(await cluster.pod(name), 'PodScheduled')?.message ?? ''
  await cluster.addPod('late', using('late'))
  await cluster.until('it is refused', async () => /resourceclaim "late" not found/.test(await refusal('late')))
  await addClaim(cluster, 'late')
  await cluster.until('it is bound', async () => (await cluster.pod('late')).spec.nodeName === 'n1')
  await addClaim(cluster, 'second')
  await cluster.addPod('second', using('second'))
  const message =
    '0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: ' +
    '0/2 nodes are available: 2 Preemption is not helpful for scheduling.'
  await cluster.until('nothing is left', async () => (await refusal('second')) === message)
  await addDevice(cluster, 'n2')
  await cluster.until('it is bound too', async () => (await cluster.pod('second')).spec.nodeName === 'n2')
})

test('a claim that nobody uses is given other devices where its own are out of reach', async (t) => {
  const cluster = await clusterWithDevices(t)
  await addDevice(cluster, 'n1')
  await addDevice(cluster, 'n2')
  await addClaim(cluster, 'idle')
  const claims = cluster.client.resource(resourceClaims, 'test')
  const field = { key: 'metadata.name', operator: 'In', values: ['n1'] }
  const nodeSelector = { nodeSelectorTerms: [{ matchFields: [field] }] }
  const results = [{ request: 'gpu', driver, pool: 'n1', device: 'gpu-0' }]
  const status = { allocation: { devices: { results }, nodeSelector } }
  await claims.patch('idle', { type: 'merge', patch: { status } }, { subresource: 'status' })
  await cluster.addPod('p', { ...using('idle'), nodeSelector: { 'kubernetes.io/hostname': 'n2' } })
  await cluster.until('it is bound', async () => (await cluster.pod('p')).spec.nodeName === 'n2')
  const [result] = (await claims.get('idle')).status?.allocation?.devices?.results ?? []
  assert.equal(result?.pool, 'n2')
})

test('a pod waits for devices that take time, and gets others when these fail', async (t) => {
  const cluster = await clusterWithDevices(t)
  const { client } = cluster
  const binding = { bindingConditions: ['attached'], bindingFailureConditions: ['broken'] }
  for (const name of ['n1', 'n2']) {
    const pool = { name, generation: 1, resourceSliceCount: 1 }
    const spec = { driver, nodeName: name, pool, devices: [{ name: 'gpu-0', ...binding }] }
    await client.resource(resourceSlices).create({ metadata: { name: `${name}-gpu` }, spec })
  }
  await addClaim(cluster, 'slow')
  await cluster.addPod('p', using('slow'))
  const claims = client.resource(resourceClaims, 'test')
  const pool = async () => (await claims.get('slow')).status?.allocation?.devices?.results?.[0]?.pool
  await cluster.until('it has a device', async () => (await pool()) !== undefined)
  const first = (await pool()) ?? ''
  const { spec, status } = await cluster.pod('p')
  assert.deepEqual([spec.nodeName, status?.nominatedNodeName], [undefined, first])
  const report = async (type: string): Promise<void> => {
    const condition = { type, status: 'True', reason: 'Tried', message: '', lastTransitionTime: '2024-01-01T00:00:00Z' }
    const device = { driver, pool: (await pool()) ?? '', device: 'gpu-0', conditions: [condition] }
    await claims.patch('slow', { type: 'merge', patch: { status: { devices: [device] } } }, { subresource: 'status' })
  }
  await client.resource(resourceSlices).patch(`${first}-gpu`, {
    ...{ type: 'merge', patch: { spec: { devices: [] } } },
  })
  await report('broken')
  await cluster.until('it has another', async () => ![undefined, first].includes(await pool()))
  assert.equal((await cluster.pod('p')).spec.nodeName, undefined)
  await report('attached')
  await cluster.until('it is bound', async () => (await cluster.pod('p')).spec.nodeName !== undefined)
  const bound = await cluster.pod('p')
  assert.notEqual(bound.spec.nodeName, first)
  assert.equal(bound.status?.nominatedNodeName, undefined)
})

test('a claim is made for an extended resource that devices stand for', async (t) => {
  const cluster = await clusterWithDevices(t)
  const { client } = cluster
  const extendedResourceName = 'example.com/gpu'
  await client.resource(deviceClasses).create({ metadata: { name: 'named' }, spec: { extendedResourceName } })
  await addDevice(cluster, 'n1')
  const resources = { requests: { [extendedResourceName]: '1' }, limits: { [extendedResourceName]: '1' } }
  await cluster.addPod('p', { containers: [{ name: 'c', image: 'i', resources }] })
  await cluster.until('it is bound', async () => (await cluster.pod('p')).spec.nodeName === 'n1')
  const { status, metadata } = await cluster.pod('p')
  const [claim] = (await client.resource(resourceClaims, 'test').list()).items
  assert.match(claim?.metadata.name ?? '', /^p-extended-resources-/)
  assert.equal(claim?.metadata.ownerReferences?.[0]?.uid, metadata.uid)
  assert.equal(claim?.status?.reservedFor?.[0]?.uid, metadata.uid)
  assert.deepEqual(status?.extendedResourceClaimStatus, {
    requestMappings: [{ containerName: 'c', requestName: 'container-0-request-0', resourceName: extendedResourceName }],
    resourceClaimName: claim?.metadata.name,
  })
})

test('claims share a device as far as it goes', async (t) => {
  const cluster = await clusterWithDevices(t)
  const { client } = cluster
  const pool = { name: 'n1', generation: 1, resourceSliceCount: 1 }
  const capacity = { slots: { value: '2', requestPolicy: { default: '1', validValues: ['1', '2'] } } }
  const devices = [{ name: 'gpu-0', allowMultipleAllocations: true, capacity }]
  await client
    .resource(resourceSlices)
    .create({ metadata: { name: 's' }, spec: { driver, nodeName: 'n1', pool, devices } })
  for (const name of ['a', 'b', 'c']) await addClaim(cluster, name)
  for (const name of ['a', 'b']) await cluster.addPod(name, using(name))
  for (const name of ['a', 'b']) {
    await cluster.until('it is bound', async () => (await cluster.pod(name)).spec.nodeName === 'n1')
  }
  await cluster.addPod('c', using('c'))
  const refusal = async () => podCondition(await cluster.pod('c'), 'PodScheduled')?.message ?? ''
  await cluster.until('nothing is left', async () => (await refusal()).includes('2 cannot allocate all claims'))
  const { items } = await client.resource(resourceClaims, 'test').list()
  const results = items.flatMap(({ status }) => status?.allocation?.devices?.results ?? [])
  assert.deepEqual(
    results.map(({ consumedCapacity }) => consumedCapacity),
    [{ slots: '1' }, { slots: '1' }],
  )
  assert.equal(new Set(results.map(({ shareID }) => shareID)).size, 2)
})

test('why a pod could not be bound is told by an event', async (t) => {
  const cluster = await clusterWithDevices(t)
  const { client } = cluster
  const binding = { bindingConditions: ['attached'], bindingFailureConditions: ['broken'] }
  const pool = { name: 'n1', generation: 1, resourceSliceCount: 1 }
  const spec = { driver, nodeName: 'n1', pool, devices: [{ name: 'gpu-0', ...binding }] }
  await client.resource(resourceSlices).create({ metadata: { name: 'n1-gpu' }, spec })
  await addClaim(cluster, 'slow')
  await cluster.addPod('p', using('slow'))
  const claims = client.resource(resourceClaims, 'test')
  await cluster.until('it has a device', async () => (await claims.get('slow')).status?.allocation !== undefined)
  const conditions = [
    { type: 'broken', status: 'True', reason: 'Fire', message: 'hot', lastTransitionTime: '2024-01-01T00:00:00Z' },
  ]
  const devices = [{ driver, pool: 'n1', device: 'gpu-0', conditions }]
  await claims.patch('slow', { type: 'merge', patch: { status: { devices } } }, { subresource: 'status' })
  const told = async () => (await client.resource(events, 'test').list()).items.map(({ message }) => message)
  const failure = 'running PreBind plugin "DynamicResources": claim slow binding failed: reason=Fire, message="hot"'
  await cluster.until('it is told', async () => (await told()).includes(failure))
  assert.ok((await told()).includes('waiting for binding conditions for device on node n1'))
  const nominated = async () => (await cluster.pod('p')).status?.nominatedNodeName
  await cluster.until('it is to go nowhere', async () => (await nominated()) === undefined)
})
