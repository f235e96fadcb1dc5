import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '#api/types/core.v1.ts'
import { nodes, pods, serviceAccounts } from '#api/types/resources.ts'
import { formatTime } from '#lib/clock.ts'
import { nodesOf, type Beat } from './beating-nodes.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function pass(cluster: SmallCluster, seconds: number, beat: Beat, ...alive: string[]): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 10) {
    await cluster.clock.advance(10_000)
    await beat(...alive)
    await cluster.settle()
  }
}

async function read({ client }: SmallCluster, name: string): Promise<Node> {
  return client.resource(nodes).get(name)
}

function taintsOf(node: Node): readonly string[] {
  return (node.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).toSorted()
}

function readiness({ status }: Node): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status
}

test('each node gets its own block of pod addresses', async (t) => {
  const cluster = await smallCluster(t)
  await nodesOf(cluster, 'n1', 'n2', 'n3')
  await cluster.until('all have one', async () => {
    const { items } = await cluster.client.resource(nodes).list()
    return new Set(items.map(({ spec }) => spec?.podCIDR).filter(Boolean)).size === 3
  })
})

test('a silent node becomes unreachable, loses its pods in time, and recovers', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const beat = await nodesOf(cluster, 'n1', 'n2')
  await cluster.until(
    'pods can be made',
    async () => (await client.resource(serviceAccounts, 'test').list()).items.length > 0,
  )
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  await cluster.run(await client.resource(pods, 'test').create({ metadata: { name: 'p' }, spec }), 'n2')
  await pass(cluster, 120, beat, 'n1', 'n2')
  assert.equal(readiness(await read(cluster, 'n2')), 'True')
  await pass(cluster, 40, beat, 'n1')
  assert.equal(readiness(await read(cluster, 'n2')), 'True')
  await pass(cluster, 20, beat, 'n1')
  assert.equal(readiness(await read(cluster, 'n2')), 'Unknown')
  assert.deepEqual(taintsOf(await read(cluster, 'n2')), [
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/unreachable:NoSchedule',
  ])
  const pod = await client.resource(pods, 'test').get('p')
  assert.equal(pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'False')
  assert.equal(pod.metadata.deletionTimestamp, undefined)
  await pass(cluster, 310, beat, 'n1')
  assert.notEqual((await client.resource(pods, 'test').get('p')).metadata.deletionTimestamp, undefined)
  const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: formatTime(cluster.clock.now()) }]
  await client
    .resource(nodes)
    .patch('n2', { type: 'strategic', patch: { status: { conditions } } }, { subresource: 'status' })
  await pass(cluster, 10, beat, 'n1', 'n2')
  assert.deepEqual(taintsOf(await read(cluster, 'n2')), [])
})

test('when every node is silent nothing is driven out', async (t) => {
  const cluster = await smallCluster(t)
  const beat = await nodesOf(cluster, 'n1')
  await pass(cluster, 80, beat)
  assert.equal(readiness(await read(cluster, 'n1')), 'Unknown')
  assert.deepEqual(taintsOf(await read(cluster, 'n1')), ['node.kubernetes.io/unreachable:NoSchedule'])
})

test('pods of a node that is gone are removed after a while', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const beat = await nodesOf(cluster, 'n1', 'n2')
  await cluster.until(
    'pods can be made',
    async () => (await client.resource(serviceAccounts, 'test').list()).items.length > 0,
  )
  const spec = { containers: [{ name: 'c', image: 'i' }] }
  await cluster.run(await client.resource(pods, 'test').create({ metadata: { name: 'p' }, spec }), 'n2')
  await client.resource(nodes).delete('n2')
  await pass(cluster, 30, beat, 'n1')
  assert.equal((await client.resource(pods, 'test').list()).items.length, 1)
  await pass(cluster, 20, beat, 'n1')
  assert.equal((await client.resource(pods, 'test').list()).items.length, 0)
})

test('when the last node fails nobody is driven out any more, until one recovers', async (t) => {
  const cluster = await smallCluster(t)
  const beat = await nodesOf(cluster, 'n1', 'n2')
  const evicts = async (name: string): Promise<boolean> => {
    return taintsOf(await read(cluster, name)).some((taint) => taint.endsWith(':NoExecute'))
  }
  await pass(cluster, 20, beat, 'n1', 'n2')
  await pass(cluster, 80, beat, 'n1')
  assert.deepEqual([await evicts('n1'), await evicts('n2')], [false, true])
  await pass(cluster, 80, beat)
  assert.deepEqual([await evicts('n1'), await evicts('n2')], [false, false])
  await pass(cluster, 10, beat, 'n1')
  const ready = { type: 'Ready', status: 'True', lastHeartbeatTime: formatTime(cluster.clock.now()) }
  const patch = { status: { conditions: [ready] } }
  await cluster.client.resource(nodes).patch('n1', { type: 'strategic', patch }, { subresource: 'status' })
  await pass(cluster, 30, beat, 'n1')
  assert.deepEqual([await evicts('n1'), await evicts('n2')], [false, true])
})
