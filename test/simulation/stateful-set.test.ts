import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatefulSet, StatefulSetSpec } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { persistentVolumeClaims, pods, serviceAccounts, statefulSets } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

const labels = { app: 'db' }

function specOf(image: string, more: Partial<StatefulSetSpec> = {}): StatefulSetSpec {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } }
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  return {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: labels },
    template,
    volumeClaimTemplates: [claim],
    ...more,
  } as never
}

async function setCluster(t: Parameters<typeof smallCluster>[0], spec: StatefulSetSpec): Promise<SmallCluster> {
  const cluster = await smallCluster(t)
  const accounts = cluster.client.resource(serviceAccounts, 'test')
  await cluster.until('pods can be made', async () => (await accounts.list()).items.length > 0)
  await cluster.client.resource(statefulSets, 'test').create({ metadata: { name: 'db' }, spec })
  return cluster
}

async function podsOf({ client }: SmallCluster): Promise<readonly Pod[]> {
  return (await client.resource(pods, 'test').list()).items
}

/** `name image` of each pod, with a mark for those that end. */
async function shown(cluster: SmallCluster): Promise<string> {
  const all = await podsOf(cluster)
  return all
    .map(
      ({ metadata, spec }) => `${metadata.name} ${spec.containers[0]?.image}${metadata.deletionTimestamp ? '-' : ''}`,
    )
    .join(', ')
}

/** Plays the kubelet for one step: ends what is to end, otherwise starts what is not running. */
async function runAll(cluster: SmallCluster): Promise<void> {
  for (const pod of await podsOf(cluster)) {
    const { name, deletionTimestamp } = pod.metadata
    if (deletionTimestamp !== undefined)
      await cluster.client.resource(pods, 'test').delete(name, { gracePeriodSeconds: 0 })
    else if (pod.status?.phase !== 'Running') await cluster.run(pod)
  }
}

async function read({ client }: SmallCluster): Promise<StatefulSet> {
  return client.resource(statefulSets, 'test').get('db')
}

async function steady(cluster: SmallCluster): Promise<StatefulSet> {
  await cluster.until('the set is steady', async () => {
    await runAll(cluster)
    const { status, spec, metadata } = await read(cluster)
    const isWhole = status?.replicas === spec.replicas && status?.availableReplicas === spec.replicas
    return (
      isWhole &&
      status?.observedGeneration === metadata.generation &&
      status?.updateRevision === status?.currentRevision
    )
  })
  return read(cluster)
}

test('pods come one by one, with names, host names and claims of their own', async (t) => {
  const cluster = await setCluster(t, specOf('a'))
  await cluster.until('the first exists', async () => (await podsOf(cluster)).length > 0)
  await cluster.settle()
  assert.equal(await shown(cluster), 'db-0 a')
  await runAll(cluster)
  await cluster.settle()
  assert.equal(await shown(cluster), 'db-0 a, db-1 a')
  const { status } = await steady(cluster)
  assert.equal(status?.currentReplicas, 3)
  const [first] = await podsOf(cluster)
  assert.equal(first?.spec.hostname, 'db-0')
  assert.equal(first?.spec.subdomain, 'db')
  assert.equal(first?.metadata.labels?.['apps.kubernetes.io/pod-index'], '0')
  assert.equal(first?.spec.volumes?.find(({ name }) => name === 'data')?.persistentVolumeClaim?.claimName, 'data-db-0')
  const claims = (await cluster.client.resource(persistentVolumeClaims, 'test').list()).items
  assert.deepEqual(
    claims.map(({ metadata }) => metadata.name),
    ['data-db-0', 'data-db-1', 'data-db-2'],
  )
})

test('scaling down takes the last first, and the claims stay', async (t) => {
  const cluster = await setCluster(t, specOf('a'))
  await steady(cluster)
  await cluster.client.resource(statefulSets, 'test').patch('db', { type: 'merge', patch: { spec: { replicas: 1 } } })
  await cluster.settle()
  assert.equal(await shown(cluster), 'db-0 a, db-1 a, db-2 a-')
  await steady(cluster)
  assert.equal(await shown(cluster), 'db-0 a')
  assert.equal((await cluster.client.resource(persistentVolumeClaims, 'test').list()).items.length, 3)
})

test('an update goes from the last to the first, one at a time', async (t) => {
  const cluster = await setCluster(t, specOf('a'))
  await steady(cluster)
  const { template } = specOf('b')
  await cluster.client.resource(statefulSets, 'test').patch('db', { type: 'strategic', patch: { spec: { template } } })
  const seen: string[] = []
  await cluster.until('all are new', async () => {
    await cluster.settle()
    const now = await shown(cluster)
    if (seen.at(-1) !== now) seen.push(now)
    await runAll(cluster)
    return now === 'db-0 b, db-1 b, db-2 b'
  })
  assert.deepEqual(seen.slice(0, 4), [
    'db-0 a, db-1 a, db-2 a-',
    'db-0 a, db-1 a, db-2 b',
    'db-0 a, db-1 a-, db-2 b',
    'db-0 a, db-1 b, db-2 b',
  ])
  await steady(cluster)
})

test('a partition holds the lower ones back, also when they are made anew', async (t) => {
  const cluster = await setCluster(t, specOf('a'))
  await steady(cluster)
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } }
  const patch = { spec: { template: specOf('b').template, updateStrategy } }
  await cluster.client.resource(statefulSets, 'test').patch('db', { type: 'strategic', patch })
  const until = (wanted: string): Promise<void> =>
    cluster.until(wanted, async () => {
      await runAll(cluster)
      return (await shown(cluster)) === wanted
    })
  await until('db-0 a, db-1 a, db-2 b')
  await cluster.client.resource(pods, 'test').delete('db-0', { gracePeriodSeconds: 0 })
  await until('db-0 a, db-1 a, db-2 b')
})

test('a parallel set starts and stops all at once', async (t) => {
  const cluster = await setCluster(t, specOf('a', { podManagementPolicy: 'Parallel' }))
  await cluster.until('all exist', async () => (await shown(cluster)) === 'db-0 a, db-1 a, db-2 a')
  await cluster.client.resource(statefulSets, 'test').patch('db', { type: 'merge', patch: { spec: { replicas: 0 } } })
  await cluster.until('none is left', async () => {
    await runAll(cluster)
    return (await podsOf(cluster)).length === 0
  })
})

test('claims go with the set, or with scaling, where the retention policy says so', async (t) => {
  const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' }
  const cluster = await setCluster(t, specOf('a', { persistentVolumeClaimRetentionPolicy }))
  const names = async (): Promise<string> => {
    const { items } = await cluster.client.resource(persistentVolumeClaims, 'test').list()
    // Nobody here takes the protection finalizer off, so being asked to go is as far as claims get.
    return items
      .filter(({ metadata }) => !metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name)
      .join()
  }
  await steady(cluster)
  await cluster.client.resource(statefulSets, 'test').patch('db', { type: 'merge', patch: { spec: { replicas: 2 } } })
  await cluster.until('one claim goes', async () => {
    await runAll(cluster)
    return (await names()) === 'data-db-0,data-db-1'
  })
  await steady(cluster)
  await cluster.client.resource(statefulSets, 'test').delete('db', { propagationPolicy: 'Background' })
  await cluster.until('all claims go', async () => {
    await runAll(cluster)
    return (await names()) === ''
  })
})
