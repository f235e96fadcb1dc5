import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isStatusError } from '#api/meta/status.ts'
import type { Job } from '#api/types/batch.v1.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '#api/types/core.v1.ts'
import { jobs, persistentVolumeClaims, persistentVolumes, pods, serviceAccounts } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

const isGone = async (reading: Promise<unknown>): Promise<boolean> =>
  reading.then(
    () => false,
    (error: unknown) => isStatusError(error, 'NotFound'),
  )

test('a claim outlives the pod that uses it, whoever deletes it', async (t) => {
  const cluster: SmallCluster = await smallCluster(t)
  const { client } = cluster
  await cluster.until(
    'pods can be made',
    async () => (await client.resource(serviceAccounts, 'test').list()).items.length > 0,
  )
  const claims = client.resource(persistentVolumeClaims, 'test')
  const spec = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  } as PersistentVolumeClaim['spec']
  await claims.create({ metadata: { name: 'data' }, spec })
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
  const collection = client.resource(pods, 'test')
  const pod = await collection.create({
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i' }], volumes },
  })
  await cluster.run(pod)
  await claims.delete('data')
  await cluster.settle()
  assert.ok((await claims.get('data')).metadata.deletionTimestamp)
  await collection.delete('p', { gracePeriodSeconds: 0 })
  await cluster.until('the claim is gone', () => isGone(claims.get('data')))
})

test('a volume outlives its being bound', async (t) => {
  const cluster = await smallCluster(t)
  const volumes = cluster.client.resource(persistentVolumes)
  const spec = {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    hostPath: { path: '/x' },
  } as PersistentVolume['spec']
  for (const name of ['free', 'bound']) await volumes.create({ metadata: { name }, spec })
  const claims = cluster.client.resource(persistentVolumeClaims, 'test')
  const claimed = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const claim = { ...claimed, storageClassName: '', volumeName: 'bound' } as PersistentVolumeClaim['spec']
  await claims.create({ metadata: { name: 'data' }, spec: claim })
  await cluster.until('it is bound', async () => (await claims.get('data')).status?.phase === 'Bound')
  for (const name of ['free', 'bound']) await volumes.delete(name)
  await cluster.until('the free one is gone', () => isGone(volumes.get('free')))
  assert.ok((await volumes.get('bound')).metadata.deletionTimestamp)
  await claims.delete('data')
  await cluster.until('the other one is gone with its claim', () => isGone(volumes.get('bound')))
})

test('an ended job goes after its time, and not before', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  await cluster.until(
    'pods can be made',
    async () => (await client.resource(serviceAccounts, 'test').list()).items.length > 0,
  )
  const collection = client.resource(jobs, 'test')
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
  await collection.create({
    metadata: { name: 'job' },
    spec: { template, ttlSecondsAfterFinished: 60 } as unknown as Job['spec'],
  })
  const podsOf = async () => (await client.resource(pods, 'test').list()).items
  await cluster.until('a pod exists', async () => (await podsOf()).length === 1)
  const [pod] = await podsOf()
  assert.ok(pod)
  await client
    .resource(pods, 'test')
    .patch(pod.metadata.name, { type: 'merge', patch: { status: { phase: 'Succeeded' } } }, { subresource: 'status' })
  await cluster.until('it has ended', async () => (await collection.get('job')).status?.completionTime !== undefined)
  await cluster.clock.advance(50_000)
  assert.ok(!(await isGone(collection.get('job'))))
  await cluster.clock.advance(11_000)
  await cluster.until('it is gone', () => isGone(collection.get('job')))
  await cluster.until('its pod, too', async () => (await podsOf()).length === 0)
})
