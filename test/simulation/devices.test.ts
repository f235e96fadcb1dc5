import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import { deviceClasses, resourceClaims, resourceSlices } from '#api/types/resources.ts'
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
