import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { ResourceQuota } from '#api/types/core.v1.ts'
import { configMaps, pods, resourceQuotas, secrets, serviceAccounts } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function quotaCluster(t: TestContext, hard: Record<string, string>): Promise<SmallCluster> {
  const cluster = await smallCluster(t)
  const accounts = cluster.client.resource(serviceAccounts, 'test')
  await cluster.until('pods can be made', async () => (await accounts.list()).items.length > 0)
  await cluster.settle()
  const spec = { hard } as unknown as ResourceQuota['spec']
  await cluster.client.resource(resourceQuotas, 'test').create({ metadata: { name: 'q' }, spec } as never)
  await cluster.until('the quota is counted', async () => (await used(cluster)) !== undefined)
  return cluster
}

async function used({ client }: SmallCluster): Promise<Readonly<Record<string, string>> | undefined> {
  return (await client.resource(resourceQuotas, 'test').get('q')).status?.used as Record<string, string> | undefined
}

test('a quota counts what was there before it, and frees what goes', async (t) => {
  const cluster = await smallCluster(t)
  const maps = cluster.client.resource(configMaps, 'test')
  await cluster.until('the root CA is published', async () => (await maps.list()).items.length === 1)
  const spec = { hard: { configmaps: '3', 'count/configmaps': '9' } }
  await cluster.client.resource(resourceQuotas, 'test').create({ metadata: { name: 'q' }, spec } as never)
  await cluster.until('it is counted', async () => (await used(cluster))?.['configmaps'] === '1')
  await maps.create({ metadata: { name: 'a' } })
  await maps.create({ metadata: { name: 'b' } })
  assert.deepEqual(await used(cluster), { configmaps: '3', 'count/configmaps': '3' })
  await assert.rejects(maps.create({ metadata: { name: 'c' } }), /exceeded quota: q/)
  await maps.delete('a')
  await cluster.until('it is freed', async () => (await used(cluster))?.['configmaps'] === '2')
  await maps.create({ metadata: { name: 'c' } })
  await cluster.settle()
  assert.equal((await used(cluster))?.['configmaps'], '3')
})

test('simultaneous creates never exceed a quota, and all that fits gets in', async (t) => {
  const cluster = await quotaCluster(t, { secrets: '10' })
  const collection = cluster.client.resource(secrets, 'test')
  const tries = Array.from({ length: 40 }, (_, at) => collection.create({ metadata: { name: `s${at}` } }))
  const results = await Promise.allSettled(tries)
  const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  assert.equal(refused.length, 30)
  for (const { reason } of refused) assert.match(String(reason), /exceeded quota/)
  assert.equal((await collection.list()).items.length, 10)
  await cluster.clock.advance(5_000)
  assert.equal((await used(cluster))?.['secrets'], '10')
})

test('a charge whose object was never stored is given back', async (t) => {
  const cluster = await quotaCluster(t, { secrets: '2' })
  const collection = cluster.client.resource(secrets, 'test')
  await collection.create({ metadata: { name: 'same' } })
  await assert.rejects(collection.create({ metadata: { name: 'same' } }), { reason: 'AlreadyExists' })
  await cluster.until('one is counted', async () => (await used(cluster))?.['secrets'] === '1')
})

test('a pod that has ended gives back what it used', async (t) => {
  const cluster = await quotaCluster(t, { pods: '1', 'requests.cpu': '1' })
  const collection = cluster.client.resource(pods, 'test')
  const spec = { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '700m' } } }] }
  await collection.create({ metadata: { name: 'p' }, spec })
  assert.deepEqual(await used(cluster), { pods: '1', 'requests.cpu': '700m' })
  await collection.patch('p', { type: 'merge', patch: { status: { phase: 'Succeeded' } } }, { subresource: 'status' })
  await cluster.until('it is free', async () => (await used(cluster))?.['requests.cpu'] === '0')
  await collection.create({ metadata: { name: 'p2' }, spec })
})
