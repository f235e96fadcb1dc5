import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume, Pod } from '#api/types/core.v1.ts'
import {
  events,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttachments,
} from '#api/types/resources.ts'
import type { VolumeAttachment } from '#api/types/storage.v1.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

const uniqueName = 'kubernetes.io/csi/d.example^h'
const minute = 60_000

async function addNode({ client }: SmallCluster, name: string): Promise<void> {
  const ready = { type: 'Ready', status: 'True' } as const
  await client.resource(nodes).create({ metadata: { name }, spec: {}, status: { conditions: [ready] } })
}

async function addBoundVolume(cluster: SmallCluster): Promise<void> {
  const csi = { driver: 'd.example', volumeHandle: 'h' }
  const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi } as PersistentVolume['spec']
  await cluster.client.resource(persistentVolumes).create({ metadata: { name: 'pv' }, spec })
  const claims = cluster.client.resource(persistentVolumeClaims, 'test')
  const resources = { requests: { storage: '1Gi' } }
  const asked = { accessModes: ['ReadWriteOnce' as const], resources, storageClassName: '', volumeName: 'pv' }
  await claims.create({ metadata: { name: 'data' }, spec: asked })
  await cluster.until('it is bound', async () => (await claims.get('data')).status?.phase === 'Bound')
}

async function addPod({ client }: SmallCluster, name: string, nodeName: string): Promise<Pod> {
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
  const containers = [{ name: 'c', image: 'i' }]
  return client
    .resource(pods, 'test')
    .create({ metadata: { name }, spec: { nodeName, containers, volumes, terminationGracePeriodSeconds: 0 } })
}

async function attachments({ client }: SmallCluster): Promise<readonly VolumeAttachment[]> {
  return (await client.resource(volumeAttachments).list()).items
}

async function attachedTo({ client }: SmallCluster, node: string): Promise<readonly string[]> {
  return ((await client.resource(nodes).get(node)).status?.volumesAttached ?? []).map(({ name }) => name)
}

/** Plays the attacher. */
async function attach(cluster: SmallCluster): Promise<void> {
  for (const each of await attachments(cluster))
    await cluster.client.resource(volumeAttachments).updateStatus({ ...each, status: { attached: true } })
}

async function setInUse({ client }: SmallCluster, node: string, volumesInUse: readonly string[]): Promise<void> {
  await client
    .resource(nodes)
    .patch(node, { type: 'merge', patch: { status: { volumesInUse } } }, { subresource: 'status' })
}

async function messages({ client }: SmallCluster, pod: string): Promise<readonly string[]> {
  const { items } = await client.resource(events, 'test').list()
  return items.filter(({ involvedObject }) => involvedObject.name === pod).map(({ message }) => message ?? '')
}

test('a volume follows its pod from node to node, never at two at once', async (t) => {
  const cluster = await smallCluster(t)
  await Promise.all(['one', 'two'].map((name) => addNode(cluster, name)))
  await addBoundVolume(cluster)
  await addPod(cluster, 'first', 'one')
  await cluster.until('it is to be attached', async () => (await attachments(cluster)).length === 1)
  assert.deepEqual(await attachedTo(cluster, 'one'), [])
  await attach(cluster)
  await cluster.until('the node may have it', async () => (await attachedTo(cluster, 'one')).includes(uniqueName))
  await setInUse(cluster, 'one', [uniqueName])
  await addPod(cluster, 'second', 'two')
  const blocked = 'Multi-Attach error for volume "pv" Volume is already used by pod(s) first'
  await cluster.until('the second is told', async () => (await messages(cluster, 'second')).includes(blocked))
  await cluster.client.resource(pods, 'test').delete('first')
  await cluster.settle()
  assert.equal((await attachments(cluster))[0]?.spec.nodeName, 'one')
  await setInUse(cluster, 'one', [])
  await cluster.until('it moves', async () => (await attachments(cluster))[0]?.spec.nodeName === 'two')
  assert.deepEqual(await attachedTo(cluster, 'one'), [])
  await attach(cluster)
  const done = 'AttachVolume.Attach succeeded for volume "pv" '
  await cluster.until('the second has it', async () => (await messages(cluster, 'second')).includes(done))
})

test('a node that is lost keeps its volume for six minutes, one out of service not at all', async (t) => {
  const cluster = await smallCluster(t)
  await addNode(cluster, 'one')
  await addBoundVolume(cluster)
  const lose = async (name: string): Promise<void> => {
    await addPod(cluster, name, 'one')
    await cluster.until('it is attached', async () => (await attachments(cluster)).length === 1)
    await attach(cluster)
    await setInUse(cluster, 'one', [uniqueName])
    await cluster.client.resource(pods, 'test').delete(name)
    await cluster.settle()
  }
  await lose('first')
  await cluster.clock.advance(5 * minute)
  await cluster.settle()
  assert.equal((await attachments(cluster)).length, 1)
  await cluster.clock.advance(2 * minute)
  await cluster.until('it is taken away', async () => (await attachments(cluster)).length === 0)
  await lose('second')
  const taint = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute', value: 'nodeshutdown' }
  await cluster.client.resource(nodes).patch('one', { type: 'strategic', patch: { spec: { taints: [taint] } } })
  await cluster.until('it is taken away at once', async () => (await attachments(cluster)).length === 0)
})
