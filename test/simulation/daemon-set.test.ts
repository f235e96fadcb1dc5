import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DaemonSet } from '#api/types/apps.v1.ts'
import type { Pod, PodSpec } from '#api/types/core.v1.ts'
import { controllerRevisions, daemonSets, nodes, pods } from '#api/types/resources.ts'
import { nodesOf } from './beating-nodes.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

const labels = { app: 'agent' }

function specOf(image: string, more: Partial<PodSpec> = {}) {
  return {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }], ...more } },
  } as unknown as DaemonSet['spec']
}

async function podsOf({ client }: SmallCluster): Promise<readonly Pod[]> {
  return (await client.resource(pods, 'test').list()).items
}

function targetOf(pod: Pod): string | undefined {
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0]
}

async function targets(cluster: SmallCluster): Promise<string> {
  const alive = (await podsOf(cluster)).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return alive
    .map((pod) => targetOf(pod) ?? '')
    .toSorted()
    .join()
}

/** Plays scheduler and kubelets. */
async function runAll(cluster: SmallCluster): Promise<void> {
  for (const pod of await podsOf(cluster)) {
    const { name, deletionTimestamp } = pod.metadata
    if (deletionTimestamp !== undefined) {
      await cluster.client
        .resource(pods, 'test')
        .delete(name, { gracePeriodSeconds: 0 })
        .catch(() => undefined)
    } else if (pod.status?.phase === 'Pending') await cluster.run(pod, targetOf(pod))
  }
}

async function isUpdated({ client }: SmallCluster, count: number): Promise<boolean> {
  const { status, metadata } = await client.resource(daemonSets, 'test').get('agent')
  const isSeen = status?.observedGeneration === metadata.generation
  return isSeen && status?.updatedNumberScheduled === count && status.numberAvailable === count
}

test('one pod on each node it belongs on, as nodes come, change and go', async (t) => {
  const cluster = await smallCluster(t)
  await nodesOf(cluster, 'n1', 'n2')
  await cluster.client.resource(daemonSets, 'test').create({ metadata: { name: 'agent' }, spec: specOf('a') })
  await cluster.until('both nodes are served', async () => (await targets(cluster)) === 'n1,n2')
  await nodesOf(cluster, 'n3')
  await cluster.until('the new one is, too', async () => (await targets(cluster)) === 'n1,n2,n3')
  await cluster.until('all run', async () => {
    await runAll(cluster)
    return isUpdated(cluster, 3)
  })
  const taint = { spec: { taints: [{ key: 'mine', effect: 'NoExecute' }] } }
  await cluster.client.resource(nodes).patch('n2', { type: 'merge', patch: taint })
  await cluster.until('the tainted node is left', async () => (await targets(cluster)) === 'n1,n3')
  await cluster.settle()
  assert.equal((await cluster.client.resource(controllerRevisions, 'test').list()).items.length, 1)
  const { status } = await cluster.client.resource(daemonSets, 'test').get('agent')
  assert.equal(status?.desiredNumberScheduled, 2)
})

test('an update replaces the pods one by one, and the history is kept', async (t) => {
  const cluster = await smallCluster(t)
  await nodesOf(cluster, 'n1', 'n2', 'n3')
  const collection = cluster.client.resource(daemonSets, 'test')
  await collection.create({ metadata: { name: 'agent' }, spec: specOf('a') })
  await cluster.until('all run', async () => {
    await runAll(cluster)
    return isUpdated(cluster, 3)
  })
  await collection.patch('agent', { type: 'strategic', patch: { spec: specOf('b') } })
  await cluster.until('all are replaced', async () => {
    const ready = (await podsOf(cluster)).filter(({ status }) => status?.phase === 'Running')
    assert.ok(ready.length >= 2, `only ${ready.length} pods serve`)
    await runAll(cluster)
    return isUpdated(cluster, 3)
  })
  const images = (await podsOf(cluster)).map(({ spec }) => spec.containers[0]?.image)
  assert.deepEqual(images, ['b', 'b', 'b'])
  const revisions = (await cluster.client.resource(controllerRevisions, 'test').list()).items
  assert.deepEqual(revisions.map(({ revision }) => String(revision)).toSorted(), ['1', '2'])
})

test('a selector leaves nodes out, and a pod that fails is replaced more and more slowly', async (t) => {
  const cluster = await smallCluster(t)
  await nodesOf(cluster, 'n1', 'n2')
  await cluster.client.resource(nodes).patch('n1', { type: 'merge', patch: { metadata: { labels: { disk: 'ssd' } } } })
  const spec = specOf('a', { nodeSelector: { disk: 'ssd' } })
  await cluster.client.resource(daemonSets, 'test').create({ metadata: { name: 'agent' }, spec })
  let failed = 0
  const fail = async (): Promise<void> => {
    for (const pod of await podsOf(cluster)) {
      if (pod.metadata.deletionTimestamp === undefined && pod.status?.phase === 'Pending') {
        await cluster.run(pod, 'n1')
        const patch = { status: { phase: 'Failed' } }
        await cluster.client
          .resource(pods, 'test')
          .patch(pod.metadata.name, { type: 'merge', patch }, { subresource: 'status' })
        failed++
      }
    }
    await runAll(cluster)
    await cluster.settle()
  }
  for (let second = 0; second < 20; second++) {
    await fail()
    await cluster.clock.advance(1_000)
  }
  assert.ok(failed >= 3 && failed <= 7, `${failed} pods failed in 20 s`)
})

test('an update with a surge starts the new pod before the old one goes', async (t) => {
  const cluster = await smallCluster(t)
  await nodesOf(cluster, 'n1', 'n2', 'n3')
  const collection = cluster.client.resource(daemonSets, 'test')
  const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 }
  const spec = { ...specOf('a'), updateStrategy: { type: 'RollingUpdate', rollingUpdate } } as DaemonSet['spec']
  await collection.create({ metadata: { name: 'agent' }, spec })
  await cluster.until('all run', async () => {
    await runAll(cluster)
    return isUpdated(cluster, 3)
  })
  await collection.patch('agent', { type: 'strategic', patch: { spec: specOf('b') } })
  let most = 0
  await cluster.until('all are replaced', async () => {
    const alive = (await podsOf(cluster)).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const serving = new Set(alive.filter(({ status }) => status?.phase === 'Running').map(targetOf))
    assert.equal(serving.size, 3, 'a node is without a pod')
    most = Math.max(most, alive.length)
    await runAll(cluster)
    return (await isUpdated(cluster, 3)) && alive.length === 3
  })
  assert.equal(most, 4)
  assert.deepEqual(
    (await podsOf(cluster)).map(({ spec }) => spec.containers[0]?.image),
    ['b', 'b', 'b'],
  )
})
