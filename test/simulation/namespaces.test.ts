import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { configMaps, namespaces, pods, secrets, serviceAccounts } from '#api/types/resources.ts'
import { rootCa } from './api-server.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function isGone({ client }: SmallCluster, name: string): Promise<boolean> {
  return (await client.resource(namespaces).list()).items.every(({ metadata }) => metadata.name !== name)
}

async function conditions({ client }: SmallCluster, name: string): Promise<readonly string[]> {
  const namespace = await client.resource(namespaces).get(name)
  const known = namespace.status?.conditions ?? []
  return known
    .filter(({ status }) => status === 'True')
    .map(({ type, reason, message }) => `${type} ${reason} ${message}`)
}

test('every namespace gets its default service account and the root CA, and gets them back', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const present = async () => {
    const accounts = await client.resource(serviceAccounts, 'test').list()
    const maps = await client.resource(configMaps, 'test').list()
    const ca = maps.items.find(({ metadata }) => metadata.name === 'kube-root-ca.crt')
    return accounts.items.some(({ metadata }) => metadata.name === 'default') && ca?.data?.['ca.crt'] === rootCa
  }
  await cluster.until('both are there', present)
  await client.resource(serviceAccounts, 'test').delete('default')
  await client
    .resource(configMaps, 'test')
    .patch('kube-root-ca.crt', { type: 'merge', patch: { data: { 'ca.crt': 'forged' } } })
  await cluster.until('both are there again', present)
})

test('a namespace goes with all that is in it', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  await client.resource(configMaps, 'test').create({ metadata: { name: 'a' } })
  await client.resource(secrets, 'test').create({ metadata: { name: 'b' } })
  await client.resource(namespaces).delete('test')
  await cluster.until('it is gone', () => isGone(cluster, 'test'))
  assert.deepEqual((await client.resource(configMaps, 'test').list()).items, [])
  await cluster.settle()
  assert.ok(await isGone(cluster, 'test'))
})

test('pods go first, and what holds a namespace back is said', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const held: Partial<ConfigMap['metadata']> = { name: 'held', finalizers: ['example.com/hold'] }
  await client.resource(configMaps, 'test').create({ metadata: held })
  await cluster.until(
    'pods can be made',
    async () => (await client.resource(serviceAccounts, 'test').list()).items.length > 0,
  )
  const pod = await client
    .resource(pods, 'test')
    .create({ metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  await cluster.run(pod)
  await client.resource(namespaces).delete('test')
  await cluster.until('the pod is waited for', async () => (await conditions(cluster, 'test')).length > 0)
  assert.deepEqual(await conditions(cluster, 'test'), [
    'NamespaceContentRemaining SomeResourcesRemain Some resources are remaining: pods. has 1 resource instances',
  ])
  assert.equal((await client.resource(configMaps, 'test').get('held')).metadata.deletionTimestamp, undefined)
  await client.resource(pods, 'test').delete('p', { gracePeriodSeconds: 0 })
  await cluster.until('the finalizer is named', async () => (await conditions(cluster, 'test')).length === 2)
  assert.deepEqual(await conditions(cluster, 'test'), [
    'NamespaceContentRemaining SomeResourcesRemain Some resources are remaining: configmaps. has 1 resource instances',
    'NamespaceFinalizersRemaining SomeFinalizersRemain Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  ])
  await client.resource(configMaps, 'test').patch('held', { type: 'merge', patch: { metadata: { finalizers: null } } })
  await cluster.until('it is gone', () => isGone(cluster, 'test'))
})
