import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import {
  events,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  serviceAccounts,
  storageClasses,
} from '#api/types/resources.ts'
import type { StorageClass } from '#api/types/storage.v1.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function addVolume({ client }: SmallCluster, name: string, storage: string, spec: object = {}): Promise<void> {
  const whole = { capacity: { storage }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' }, ...spec }
  await client.resource(persistentVolumes).create({ metadata: { name }, spec: whole as PersistentVolume['spec'] })
}

async function addClaim({ client }: SmallCluster, name: string, storage: string, spec: object = {}): Promise<void> {
  const whole = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec }
  await client
    .resource(persistentVolumeClaims, 'test')
    .create({ metadata: { name }, spec: whole as PersistentVolumeClaim['spec'] })
}

async function addClass(
  { client }: SmallCluster,
  name: string,
  provisioner: string,
  volumeBindingMode: string,
): Promise<void> {
  const parts = { provisioner, volumeBindingMode } as Pick<StorageClass, 'provisioner' | 'volumeBindingMode'>
  await client.resource(storageClasses).create({ metadata: { name }, ...parts })
}

async function claim({ client }: SmallCluster, name: string): Promise<string> {
  const { spec, status } = await client.resource(persistentVolumeClaims, 'test').get(name)
  return `${status?.phase} ${spec.volumeName ?? '-'}`
}

async function volume({ client }: SmallCluster, name: string): Promise<string> {
  const { spec, status } = await client.resource(persistentVolumes).get(name)
  return `${status?.phase} ${spec.claimRef?.name ?? '-'}`
}

async function reasons({ client }: SmallCluster, name: string): Promise<readonly string[]> {
  const { items } = await client.resource(events, 'test').list()
  return items.filter(({ involvedObject }) => involvedObject.name === name).map(({ reason }) => reason ?? '')
}

test('a claim gets the smallest volume that fits, and the volume is released with it', async (t) => {
  const cluster = await smallCluster(t)
  await addVolume(cluster, 'large', '10Gi')
  await addVolume(cluster, 'medium', '5Gi')
  await addVolume(cluster, 'small', '1Gi')
  await addVolume(cluster, 'wide', '2Gi', { accessModes: ['ReadWriteMany'] })
  await cluster.until('they are available', async () => (await volume(cluster, 'large')) === 'Available -')
  await addClaim(cluster, 'data', '2Gi', { storageClassName: '' })
  await cluster.until('it is bound', async () => (await claim(cluster, 'data')) === 'Bound medium')
  assert.equal(await volume(cluster, 'medium'), 'Bound data')
  const bound = await cluster.client.resource(persistentVolumeClaims, 'test').get('data')
  assert.deepEqual(bound.status?.capacity, { storage: '5Gi' })
  assert.deepEqual(bound.status?.accessModes, ['ReadWriteOnce'])
  assert.equal(bound.metadata.annotations?.['pv.kubernetes.io/bind-completed'], 'yes')
  await cluster.client.resource(persistentVolumeClaims, 'test').delete('data')
  await cluster.until('it is released', async () => (await volume(cluster, 'medium')) === 'Released data')
  await addClaim(cluster, 'next', '4Gi', { storageClassName: '' })
  await cluster.until('nobody gets a released one', async () => (await claim(cluster, 'next')) === 'Bound large')
})

test('claims at once never share a volume, and those left over wait for one', async (t) => {
  const cluster = await smallCluster(t)
  for (const name of ['v1', 'v2', 'v3']) await addVolume(cluster, name, '1Gi')
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => addClaim(cluster, name, '1Gi', { storageClassName: '' })))
  const bound = async (): Promise<readonly string[]> => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((name) => claim(cluster, name)))
    return all.filter((text) => text.startsWith('Bound')).toSorted()
  }
  await cluster.until('three are bound', async () => (await bound()).length === 3)
  assert.deepEqual(await bound(), ['Bound v1', 'Bound v2', 'Bound v3'])
  await addVolume(cluster, 'v4', '1Gi')
  await cluster.until('the fourth is bound', async () => (await bound()).length === 4)
})

test('volumes and claims that name each other come together, and nobody else comes between', async (t) => {
  const cluster = await smallCluster(t)
  await addVolume(cluster, 'kept', '5Gi', { claimRef: { namespace: 'test', name: 'mine' } })
  await addClaim(cluster, 'other', '1Gi', { storageClassName: '' })
  await addClaim(cluster, 'named', '1Gi', { storageClassName: '', volumeName: 'later' })
  await cluster.settle()
  assert.equal(await claim(cluster, 'other'), 'Pending -')
  await addClaim(cluster, 'mine', '1Gi', { storageClassName: '' })
  await cluster.until('it is bound', async () => (await claim(cluster, 'mine')) === 'Bound kept')
  await addVolume(cluster, 'later', '1Gi', { accessModes: ['ReadOnlyMany'] })
  await cluster.settle()
  await cluster.clock.advance(1_000)
  assert.equal(await claim(cluster, 'named'), 'Pending later')
  assert.ok((await reasons(cluster, 'named')).includes('VolumeMismatch'))
})

test('a class that waits for a pod binds nothing before one has a node; then its provisioner is asked', async (t) => {
  const cluster = await smallCluster(t)
  await addClass(cluster, 'local', 'example.com/disk', 'WaitForFirstConsumer')
  await addVolume(cluster, 'free', '500Mi', { storageClassName: 'local' })
  await addClaim(cluster, 'data', '1Gi', { storageClassName: 'local' })
  await cluster.settle()
  await cluster.clock.advance(1_000)
  assert.equal(await claim(cluster, 'data'), 'Pending -')
  assert.ok((await reasons(cluster, 'data')).includes('WaitForFirstConsumer'))
  const claims = cluster.client.resource(persistentVolumeClaims, 'test')
  const annotations = { 'volume.kubernetes.io/selected-node': 'n1' }
  await claims.patch('data', { type: 'merge', patch: { metadata: { annotations } } })
  const asked = 'volume.kubernetes.io/storage-provisioner'
  await cluster.until('the provisioner is asked', async () => {
    return (await claims.get('data')).metadata.annotations?.[asked] === 'example.com/disk'
  })
  const { uid } = (await claims.get('data')).metadata
  const claimRef = { namespace: 'test', name: 'data', uid }
  const spec = { storageClassName: 'local', claimRef, persistentVolumeReclaimPolicy: 'Delete' }
  await addVolume(cluster, 'made', '1Gi', spec)
  await cluster.until('it is bound', async () => (await claim(cluster, 'data')) === 'Bound made')
  await claims.delete('data')
  // Nobody here can delete a volume of that kind.
  await cluster.until('deleting it fails', async () => (await volume(cluster, 'made')) === 'Failed data')
})

test('a claim without a class gets the default one that comes later, and tells which pod it waits for', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  await addClaim(cluster, 'data', '1Gi')
  await addClaim(cluster, 'none', '1Gi', { storageClassName: '' })
  await cluster.settle()
  await addClass(cluster, 'disk', 'example.com/disk', 'WaitForFirstConsumer')
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' }
  await client.resource(storageClasses).patch('disk', { type: 'merge', patch: { metadata: { annotations } } })
  const claims = client.resource(persistentVolumeClaims, 'test')
  await cluster.until('it has the class', async () => (await claims.get('data')).spec.storageClassName === 'disk')
  assert.equal((await claims.get('none')).spec.storageClassName, '')
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
  const spec = { containers: [{ name: 'c', image: 'i' }], volumes } as Pod['spec']
  const accounts = client.resource(serviceAccounts, 'test')
  await cluster.until('pods can be made', async () => (await accounts.list()).items.length > 0)
  await client.resource(pods, 'test').create({ metadata: { name: 'p' }, spec })
  await cluster.until('it tells', async () => (await reasons(cluster, 'data')).includes('WaitForPodScheduled'))
})

test('a volume that is reserved for a claim needs no class of its own', async (t) => {
  const cluster = await smallCluster(t)
  await addVolume(cluster, 'v', '1Gi', { claimRef: { namespace: 'test', name: 'data' }, storageClassName: 'odd' })
  await addClaim(cluster, 'data', '1Gi', { storageClassName: '' })
  await cluster.until('it is bound', async () => (await claim(cluster, 'data')) === 'Bound v')
})

test('a claim whose volume is gone is lost', async (t) => {
  const cluster = await smallCluster(t)
  await addVolume(cluster, 'v', '1Gi')
  await addClaim(cluster, 'data', '1Gi', { storageClassName: '' })
  await cluster.until('it is bound', async () => (await claim(cluster, 'data')) === 'Bound v')
  const volumes = cluster.client.resource(persistentVolumes)
  await volumes.patch('v', { type: 'merge', patch: { metadata: { finalizers: null } } })
  await volumes.delete('v')
  await volumes.patch('v', { type: 'merge', patch: { metadata: { finalizers: null } } }).catch(() => undefined)
  await cluster.until('it is lost', async () => (await claim(cluster, 'data')) === 'Lost v')
})

test('a pod gets the claims it asks for in itself, and they go with it', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const accounts = client.resource(serviceAccounts, 'test')
  await cluster.until('pods can be made', async () => (await accounts.list()).items.length > 0)
  await addVolume(cluster, 'v', '1Gi')
  const claimSpec = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: '',
  }
  const volumeClaimTemplate = { metadata: { labels: { a: 'b' } }, spec: claimSpec }
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }]
  const spec = { containers: [{ name: 'c', image: 'i' }], volumes } as Pod['spec']
  const pod = await client.resource(pods, 'test').create({ metadata: { name: 'p' }, spec })
  const claims = client.resource(persistentVolumeClaims, 'test')
  await cluster.until('a claim exists', async () => (await claims.list()).items.length === 1)
  await cluster.until('it is bound', async () => (await claim(cluster, 'p-scratch')) === 'Bound v')
  const { metadata } = await claims.get('p-scratch')
  assert.deepEqual([metadata.labels, metadata.ownerReferences?.[0]?.uid], [{ a: 'b' }, pod.metadata.uid])
  await cluster.run(pod)
  await client.resource(pods, 'test').delete('p', { gracePeriodSeconds: 0 })
  await cluster.until('the claim is gone', async () => (await claims.list()).items.length === 0)
})
