import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment, DeploymentSpec } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { deployments, events, pods, replicaSets } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

const labels = { app: 'web' }

function specOf(image: string, more: Partial<DeploymentSpec> = {}): DeploymentSpec {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } }
  const deadline = { progressDeadlineSeconds: 600 }
  return { replicas: 3, selector: { matchLabels: labels }, template, ...deadline, ...more } as DeploymentSpec
}

async function livePods({ client }: SmallCluster): Promise<readonly Pod[]> {
  const { items } = await client.resource(pods, 'test').list()
  return items.filter((pod) => pod.metadata.deletionTimestamp === undefined)
}

/** Plays the kubelet for all pods: starts new ones and ends those that are to go. */
async function runAll(cluster: SmallCluster): Promise<void> {
  const { items } = await cluster.client.resource(pods, 'test').list()
  for (const pod of items) {
    if (pod.metadata.deletionTimestamp !== undefined) {
      await cluster.client
        .resource(pods, 'test')
        .delete(pod.metadata.name, { gracePeriodSeconds: 0 })
        .catch(() => undefined)
    } else if (pod.status?.phase !== 'Running') {
      await cluster.run(pod)
    }
  }
}

async function read({ client }: SmallCluster, name = 'web'): Promise<Deployment> {
  return client.resource(deployments, 'test').get(name)
}

function progressing(deployment: Deployment): string | undefined {
  return deployment.status?.conditions?.find(({ type }) => type === 'Progressing')?.reason
}

async function rolledOut(cluster: SmallCluster): Promise<void> {
  await cluster.until('the deployment is rolled out', async () => {
    await runAll(cluster)
    const deployment = await read(cluster)
    const isObserved = deployment.status?.observedGeneration === deployment.metadata.generation
    return (
      isObserved &&
      progressing(deployment) === 'NewReplicaSetAvailable' &&
      deployment.status?.updatedReplicas === deployment.spec.replicas &&
      deployment.status?.replicas === deployment.spec.replicas
    )
  })
}

test('a deployment becomes pods, and its status says so', async (t) => {
  const cluster = await smallCluster(t)
  await cluster.client.resource(deployments, 'test').create({ metadata: { name: 'web' }, spec: specOf('a') })
  await cluster.until('three pods exist', async () => (await livePods(cluster)).length === 3)
  await cluster.settle()
  assert.equal((await livePods(cluster)).length, 3)
  assert.equal(progressing(await read(cluster)), 'ReplicaSetUpdated')
  await rolledOut(cluster)
  const deployment = await read(cluster)
  const { conditions = [], ...counts } = deployment.status ?? {}
  assert.deepEqual(counts, {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  })
  const [set] = (await cluster.client.resource(replicaSets, 'test').list()).items
  assert.ok(set)
  assert.deepEqual(
    conditions.map(({ type, status, reason, message }) => [type, status, reason, message].join(' ')).sort(),
    [
      'Available True MinimumReplicasAvailable Deployment has minimum availability.',
      `Progressing True NewReplicaSetAvailable ReplicaSet "${set.metadata.name}" has successfully progressed.`,
    ],
  )
  assert.equal(deployment.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.equal(set.metadata.annotations?.['deployment.kubernetes.io/desired-replicas'], '3')
  assert.equal(set.metadata.annotations?.['deployment.kubernetes.io/max-replicas'], '4')
  const told = (await cluster.client.resource(events, 'test').list()).items.map(
    ({ reason, message }) => `${reason} ${message}`,
  )
  assert.ok(told.includes(`ScalingReplicaSet Scaled up replica set ${set.metadata.name} from 0 to 3`), told.join('\n'))
  assert.equal(told.filter((line) => line.startsWith('SuccessfulCreate Created pod: ')).length, 3)
})

test('a rolling update never leaves fewer available than allowed, and can be rolled back', async (t) => {
  const cluster = await smallCluster(t)
  const collection = cluster.client.resource(deployments, 'test')
  const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  await collection.create({ metadata: { name: 'web' }, spec: specOf('a', { strategy }) })
  await rolledOut(cluster)
  const update = async (image: string): Promise<void> => {
    const patch = { spec: { template: { spec: { containers: [{ name: 'web', image }] } } } }
    await collection.patch('web', { type: 'strategic', patch })
    await cluster.until(`${image} is rolled out`, async () => {
      const ready = (await livePods(cluster)).filter((pod) => pod.status?.phase === 'Running')
      assert.ok(ready.length >= 3, `only ${ready.length} pods run`)
      assert.ok((await livePods(cluster)).length <= 4)
      await runAll(cluster)
      const images = (await livePods(cluster)).map((pod) => pod.spec.containers[0]?.image)
      return images.length === 3 && images.every((each) => each === image)
    })
    await rolledOut(cluster)
  }
  await update('b')
  assert.equal((await read(cluster)).metadata.annotations?.['deployment.kubernetes.io/revision'], '2')
  await update('a')
  assert.equal((await read(cluster)).metadata.annotations?.['deployment.kubernetes.io/revision'], '3')
  const sets = (await cluster.client.resource(replicaSets, 'test').list()).items
  assert.equal(sets.length, 2)
  const current = sets.find((set) => set.spec.replicas === 3)
  assert.equal(current?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1')
})

test('scaling changes the number of pods and nothing else', async (t) => {
  const cluster = await smallCluster(t)
  const collection = cluster.client.resource(deployments, 'test')
  await collection.create({ metadata: { name: 'web' }, spec: specOf('a') })
  await rolledOut(cluster)
  for (const replicas of [5, 2]) {
    await collection.patch('web', { type: 'merge', patch: { spec: { replicas } } })
    await cluster.until(`${replicas} pods run`, async () => {
      await runAll(cluster)
      return (await livePods(cluster)).length === replicas
    })
    await rolledOut(cluster)
  }
  assert.equal((await cluster.client.resource(replicaSets, 'test').list()).items.length, 1)
})

test('recreate ends all old pods before a new one starts', async (t) => {
  const cluster = await smallCluster(t)
  const collection = cluster.client.resource(deployments, 'test')
  await collection.create({ metadata: { name: 'web' }, spec: specOf('a', { strategy: { type: 'Recreate' } }) })
  await rolledOut(cluster)
  const patch = { spec: { template: { spec: { containers: [{ name: 'web', image: 'b' }] } } } }
  await collection.patch('web', { type: 'strategic', patch })
  await cluster.until('b is rolled out', async () => {
    const { items } = await cluster.client.resource(pods, 'test').list()
    const images = new Set(items.map((pod) => pod.spec.containers[0]?.image))
    assert.ok(images.size <= 1, 'pods of both templates exist')
    await runAll(cluster)
    return images.has('b') && items.length === 3
  })
})

test('a rollout that makes no progress is said to be stuck', async (t) => {
  const cluster = await smallCluster(t)
  const spec = specOf('a', { progressDeadlineSeconds: 10, minReadySeconds: 0 })
  await cluster.client.resource(deployments, 'test').create({ metadata: { name: 'web' }, spec })
  await cluster.until('three pods exist', async () => (await livePods(cluster)).length === 3)
  await cluster.clock.advance(15_000)
  const condition = (await read(cluster)).status?.conditions?.find(({ type }) => type === 'Progressing')
  assert.equal(condition?.reason, 'ProgressDeadlineExceeded')
  assert.match(condition?.message ?? '', /^ReplicaSet "web-\w+" has timed out progressing\.$/)
})

test('deleting a deployment takes its ReplicaSets and pods along, in the background', async (t) => {
  const cluster = await smallCluster(t)
  await cluster.client.resource(deployments, 'test').create({ metadata: { name: 'web' }, spec: specOf('a') })
  await rolledOut(cluster)
  await cluster.client.resource(deployments, 'test').delete('web', { propagationPolicy: 'Background' })
  await cluster.until('nothing is left', async () => {
    await runAll(cluster)
    const left = await cluster.client.resource(replicaSets, 'test').list()
    return left.items.length === 0 && (await cluster.client.resource(pods, 'test').list()).items.length === 0
  })
})

test('an orphaned ReplicaSet lives on, and is adopted by a deployment that selects it', async (t) => {
  const cluster = await smallCluster(t)
  const collection = cluster.client.resource(deployments, 'test')
  await collection.create({ metadata: { name: 'web' }, spec: specOf('a') })
  await rolledOut(cluster)
  await collection.delete('web', { propagationPolicy: 'Orphan' })
  const sets = async () => (await cluster.client.resource(replicaSets, 'test').list()).items
  await cluster.until('the deployment is gone', async () => (await collection.list()).items.length === 0)
  await cluster.settle()
  const [orphan] = await sets()
  assert.equal(orphan?.metadata.ownerReferences, undefined)
  await collection.create({ metadata: { name: 'web' }, spec: specOf('a') })
  await cluster.until('it is adopted', async () => (await sets())[0]?.metadata.ownerReferences?.[0]?.name === 'web')
  await rolledOut(cluster)
  assert.deepEqual(
    (await sets()).map((set) => set.metadata.uid),
    [orphan?.metadata.uid],
  )
})

test('a foreground deletion lets the deployment go last', async (t) => {
  const cluster = await smallCluster(t)
  const collection = cluster.client.resource(deployments, 'test')
  await collection.create({ metadata: { name: 'web' }, spec: specOf('a') })
  await rolledOut(cluster)
  await collection.delete('web', { propagationPolicy: 'Foreground' })
  await cluster.until('the deployment is gone', async () => {
    const podsLeft = (await cluster.client.resource(pods, 'test').list()).items.length
    const isGone = (await collection.list()).items.length === 0
    if (isGone) assert.equal(podsLeft, 0, 'pods outlived their deployment')
    if (!isGone) await runAll(cluster)
    return isGone
  })
})
