import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { OwnerReference } from '#api/types/meta.v1.ts'
import { clusterRoles, configMaps, events, namespaces, secrets } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

function ownedBy(owner: KubernetesObject, more: Partial<OwnerReference> = {}): OwnerReference {
  const { apiVersion, kind, metadata } = owner
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, ...more }
}

async function names({ client }: SmallCluster): Promise<readonly string[]> {
  const { items } = await client.resource(configMaps, 'test').list()
  return items.map(({ metadata }) => metadata.name).filter((name) => name !== 'kube-root-ca.crt')
}

async function owner({ client }: SmallCluster, name: string, ...ownerReferences: OwnerReference[]) {
  return client.resource(configMaps, 'test').create({ metadata: { name, namespace: 'test', ownerReferences } })
}

test('an object goes with its last owner, over any number of levels', async (t) => {
  const cluster = await smallCluster(t)
  const [a, b] = [await owner(cluster, 'a'), await owner(cluster, 'b')]
  const child = await owner(cluster, 'child', ownedBy(a), ownedBy(b))
  await owner(cluster, 'grandchild', ownedBy(child))
  await cluster.client.resource(configMaps, 'test').delete('a')
  await cluster.until('the child has lost one reference', async () => {
    const { metadata } = await cluster.client.resource(configMaps, 'test').get('child')
    return metadata.ownerReferences?.length === 1
  })
  await cluster.settle()
  assert.deepEqual(await names(cluster), ['b', 'child', 'grandchild'])
  await cluster.client.resource(configMaps, 'test').delete('b')
  await cluster.until('all are gone', async () => (await names(cluster)).length === 0)
})

test('an owner that never was, by its uid, owns nothing', async (t) => {
  const cluster = await smallCluster(t)
  const real = await owner(cluster, 'real')
  await owner(cluster, 'child', ownedBy(real, { uid: 'a-former-one' }))
  await cluster.until('the child is gone', async () => (await names(cluster)).join() === 'real')
})

test('an owner in another namespace counts as none, and that is told', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  await client.resource(namespaces).create({ metadata: { name: 'other' }, spec: {} })
  const foreign = await client.resource(configMaps, 'other').create({ metadata: { name: 'foreign' } })
  await owner(cluster, 'child', ownedBy(foreign))
  await cluster.until('the child is gone', async () => (await names(cluster)).length === 0)
  await cluster.until('it is told why', async () => {
    const { items } = await client.resource(events, 'test').list()
    return items.some(({ reason, message }) => reason === 'OwnerRefInvalidNamespace' && message?.includes('"test"'))
  })
})

test('a cluster-scoped owner of a namespaced object counts, a namespaced owner of a cluster-scoped one does not', async (t) => {
  const cluster = await smallCluster(t)
  const roles = cluster.client.resource(clusterRoles)
  const role = await roles.create({ metadata: { name: 'big' } })
  const small = await owner(cluster, 'small', ownedBy(role))
  await roles.create({ metadata: { name: 'odd', ownerReferences: [ownedBy(small, { uid: 'gone' })] } })
  await cluster.settle()
  assert.deepEqual(await names(cluster), ['small'])
  await roles.delete('big')
  await cluster.until('the small one is gone', async () => (await names(cluster)).length === 0)
  await cluster.settle()
  assert.equal((await roles.get('odd')).metadata.name, 'odd')
})

test('owners of an unknown kind protect what they own', async (t) => {
  const cluster = await smallCluster(t)
  await owner(cluster, 'child', { apiVersion: 'example.com/v1', kind: 'Unheard', name: 'x', uid: 'y' })
  await cluster.settle()
  assert.deepEqual(await names(cluster), ['child'])
})

test('foreground: blocking dependents go before their owner', async (t) => {
  const cluster = await smallCluster(t)
  const parent = await owner(cluster, 'parent')
  const held = { name: 'held', namespace: 'test', finalizers: ['example.com/hold'] }
  const ownerReferences = [ownedBy(parent, { blockOwnerDeletion: true })]
  await cluster.client.resource(secrets, 'test').create({ metadata: { ...held, ownerReferences } })
  await cluster.client.resource(configMaps, 'test').delete('parent', { propagationPolicy: 'Foreground' })
  await cluster.until('the dependent is asked to go', async () => {
    return (await cluster.client.resource(secrets, 'test').get('held')).metadata.deletionTimestamp !== undefined
  })
  await cluster.settle()
  assert.deepEqual(await names(cluster), ['parent'])
  const patch = { metadata: { finalizers: null } }
  await cluster.client.resource(secrets, 'test').patch('held', { type: 'merge', patch })
  await cluster.until('the parent is gone', async () => (await names(cluster)).length === 0)
})

test('orphan: dependents lose their owner and stay', async (t) => {
  const cluster = await smallCluster(t)
  const parent = await owner(cluster, 'parent')
  await owner(cluster, 'child', ownedBy(parent))
  await cluster.client.resource(configMaps, 'test').delete('parent', { propagationPolicy: 'Orphan' })
  await cluster.until('the parent is gone', async () => (await names(cluster)).join() === 'child')
  await cluster.settle()
  const { metadata } = await cluster.client.resource(configMaps, 'test').get('child')
  assert.equal(metadata.ownerReferences, undefined)
})
