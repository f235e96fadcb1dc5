/**
 * Goal: StatefulSets behave as a conformant cluster's do. Method: the whole cluster in this process with simulated nodes,
 * one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { StatefulSet, StatefulSetSpec } from '#api/types/apps.v1.ts'
import { isPodReady } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { pods, statefulSets } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import {
  livePods,
  namespace,
  showCollection,
  showScaleEndpoint,
  showStatusEndpoint,
  templateOf,
} from './harness/workloads.ts'

const area = 'apps/statefulset'
const labels = { app: 'db' }

/** A cluster whose readiness probes fail for the pods with the addresses in `broken`. */
async function breakableCluster(t: Parameters<typeof wholeCluster>[0]) {
  const state = { allBroken: false }
  const broken = new Set<string>()
  const probe = async (_probe: unknown, { podIp }: { readonly podIp: string }) => {
    return { ok: !state.allBroken && !broken.has(podIp), message: '' }
  }
  const cluster = await wholeCluster(t, { node: { probe } })
  return { cluster, state, broken }
}

const readinessProbe = { exec: { command: ['ready'] }, periodSeconds: 1, successThreshold: 1, failureThreshold: 1 }

async function create({ client }: WholeCluster, spec: Partial<StatefulSetSpec> = {}): Promise<StatefulSet> {
  const basic = {
    serviceName: 'db',
    selector: { matchLabels: labels },
    template: templateOf(labels, { readinessProbe }),
  }
  return client.resource(statefulSets, namespace).create({
    metadata: { name: 'db', labels },
    spec: { replicas: 3, ...basic, ...spec } as StatefulSetSpec,
  })
}

const read = ({ client }: WholeCluster): Promise<StatefulSet> => client.resource(statefulSets, namespace).get('db')

const change = ({ client }: WholeCluster, spec: object): Promise<StatefulSet> =>
  client.resource(statefulSets, namespace).patch('db', { type: 'strategic', patch: { spec } })

const newImage = (image: string) => ({ template: { spec: { containers: [{ name: 'c', image }] } } })

async function ready(cluster: WholeCluster, count: number): Promise<void> {
  await cluster.until(`${count} pods are ready`, async () => {
    const { status } = await read(cluster)
    return (status?.readyReplicas ?? 0) === count && status?.replicas === count
  })
}

/** Names of pods in the order in which they came and, with a minus, went. */
function follow({ client }: WholeCluster, resourceVersion: string): { readonly seen: string[]; stop(): Promise<void> } {
  const seen: string[] = []
  const stopping = new AbortController()
  const watching = (async () => {
    for await (const event of client.resource(pods, namespace).watch({ resourceVersion, signal: stopping.signal })) {
      if (event.type === 'ADDED') seen.push(event.object.metadata.name)
      if (event.type === 'DELETED') seen.push(`-${event.object.metadata.name}`)
    }
  })().catch(() => undefined)
  return {
    seen,
    async stop() {
      stopping.abort()
      await watching
    },
  }
}

const imageOf = (pod: Pod | undefined): string | undefined => pod?.spec.containers[0]?.image

async function images(cluster: WholeCluster): Promise<readonly (string | undefined)[]> {
  const all = await livePods(cluster, 'app=db')
  return all.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)).map(imageOf)
}

behaviour(
  area,
  'StatefulSet Basic StatefulSet functionality Scaling should happen in predictable order and halt if any stateful pod is unhealthy',
  async (t) => {
    const { cluster, state } = await breakableCluster(t)
    const { resourceVersion } = await cluster.client.resource(pods, namespace).list()
    const order = follow(cluster, resourceVersion)
    await create(cluster, { replicas: 1 })
    await ready(cluster, 1)
    state.allBroken = true
    await cluster.until(
      'the pod is not ready',
      async () =>
        (await read(cluster)).status?.readyReplicas === undefined || (await read(cluster)).status?.readyReplicas === 0,
    )
    await change(cluster, { replicas: 3 })
    await cluster.pass(20_000)
    assert.deepEqual(order.seen, ['db-0'], 'scaling up waits for the pod that is not ready')
    state.allBroken = false
    await ready(cluster, 3)
    assert.deepEqual(order.seen, ['db-0', 'db-1', 'db-2'])
    state.allBroken = true
    await cluster.until('no pod is ready', async () => ((await read(cluster)).status?.readyReplicas ?? 0) === 0)
    await change(cluster, { replicas: 0 })
    await cluster.pass(20_000)
    assert.equal((await livePods(cluster, 'app=db')).length, 3, 'scaling down waits, too')
    state.allBroken = false
    await cluster.until('all are gone', async () => (await livePods(cluster, 'app=db')).length === 0)
    await cluster.pass(100)
    await order.stop()
    assert.deepEqual(order.seen.slice(3), ['-db-2', '-db-1', '-db-0'])
  },
)

behaviour(
  area,
  'StatefulSet Basic StatefulSet functionality Burst scaling should run to completion even with unhealthy pods',
  async (t) => {
    const { cluster, state } = await breakableCluster(t)
    await create(cluster, { replicas: 1, podManagementPolicy: 'Parallel' })
    await ready(cluster, 1)
    state.allBroken = true
    await cluster.until('the pod is not ready', async () => ((await read(cluster)).status?.readyReplicas ?? 0) === 0)
    await change(cluster, { replicas: 3 })
    await cluster.until(
      'three pods exist although none is ready',
      async () => (await livePods(cluster, 'app=db')).length === 3,
    )
    await change(cluster, { replicas: 0 })
    await cluster.until('none is left', async () => (await livePods(cluster, 'app=db')).length === 0)
  },
)

behaviour(area, 'StatefulSet Basic StatefulSet functionality Should recreate evicted statefulset', async (t) => {
  const cluster = await wholeCluster(t, { nodes: ['n1'] })
  const ports = [{ containerPort: 8080, hostPort: 8080 }]
  const inTheWay = templateOf({ app: 'other' }, { ports }, { nodeName: 'n1' })
  await cluster.client
    .resource(pods, namespace)
    .create({ metadata: { name: 'other' }, spec: inTheWay.spec as Pod['spec'] })
  await create(cluster, { replicas: 1, template: templateOf(labels, { ports }, { nodeName: 'n1' }) })
  const uids = new Set<string>()
  await cluster.until('the refused pod was made anew', async () => {
    for (const { metadata } of (await cluster.client.resource(pods, namespace).list({ labelSelector: 'app=db' })).items)
      uids.add(metadata.uid)
    return uids.size >= 2
  })
  await cluster.client.resource(pods, namespace).delete('other', { gracePeriodSeconds: 0 })
  await ready(cluster, 1)
})

behaviour(area, 'StatefulSet Basic StatefulSet functionality should have a working scale subresource', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster, { replicas: 1 })
  await ready(cluster, 1)
  await showScaleEndpoint(cluster, statefulSets, 'db')
  await ready(cluster, 4)
})

behaviour(
  area,
  'StatefulSet Basic StatefulSet functionality should list, patch and delete a collection of StatefulSets',
  async (t) => {
    const cluster = await wholeCluster(t)
    await create(cluster, { replicas: 1 })
    await ready(cluster, 1)
    const patch = { metadata: { labels: { patched: 'yes' } }, spec: { replicas: 2, ...newImage('app:2') } }
    await cluster.client.resource(statefulSets, namespace).patch('db', { type: 'strategic', patch })
    await cluster.until('the patch is rolled out', async () => {
      const { status } = await read(cluster)
      return status?.readyReplicas === 2 && status.updatedReplicas === 2
    })
    await showCollection(cluster, statefulSets, 'patched=yes', 1)
  },
)

behaviour(
  area,
  'StatefulSet Basic StatefulSet functionality should validate Statefulset Status endpoints',
  async (t) => {
    const cluster = await wholeCluster(t)
    await create(cluster, { replicas: 1 })
    await ready(cluster, 1)
    await showStatusEndpoint(cluster, statefulSets, 'db')
  },
)

behaviour(
  area,
  'StatefulSet Basic StatefulSet functionality should perform rolling updates and roll backs of template modifications',
  async (t) => {
    const { cluster, broken } = await breakableCluster(t)
    await create(cluster)
    await ready(cluster, 3)
    const before = (await read(cluster)).status
    assert.equal(before?.currentRevision, before?.updateRevision)
    const second = (await livePods(cluster, 'app=db')).find(({ metadata }) => metadata.name === 'db-1')
    broken.add(second?.status?.podIP ?? '')
    await cluster.until('db-1 is not ready', async () => (await read(cluster)).status?.readyReplicas === 2)
    await change(cluster, newImage('app:2'))
    const order = follow(cluster, (await cluster.client.resource(pods, namespace).list()).resourceVersion)
    await cluster.until(
      'the update has begun',
      async () => (await read(cluster)).status?.updateRevision !== before?.updateRevision,
    )
    await cluster.pass(5_000)
    assert.deepEqual(order.seen, [], 'the update waits for the pod that is not ready')
    broken.clear()
    await cluster.until('the rollout is over', async () => (await images(cluster)).join() === 'app:2,app:2,app:2')
    await ready(cluster, 3)
    await cluster.until('the update is the current revision', async () => {
      const { status } = await read(cluster)
      return status?.currentRevision === status?.updateRevision
    })
    assert.deepEqual(order.seen, ['-db-2', 'db-2', '-db-1', 'db-1', '-db-0', 'db-0'])
    await change(cluster, newImage('app:1'))
    await cluster.until(
      'the template is rolled back',
      async () => (await images(cluster)).join() === 'app:1,app:1,app:1',
    )
    await ready(cluster, 3)
    await cluster.until(
      'the first revision is current again',
      async () => (await read(cluster)).status?.currentRevision === before?.currentRevision,
    )
    await order.stop()
  },
)

behaviour(
  area,
  'StatefulSet Basic StatefulSet functionality should perform canary updates and phased rolling updates of template modifications',
  async (t) => {
    const cluster = await wholeCluster(t)
    const partition = (count: number) =>
      ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: count } } }) as const
    await create(cluster, partition(3))
    await ready(cluster, 3)
    const before = (await read(cluster)).status
    await change(cluster, newImage('app:2'))
    await cluster.until(
      'the update revision is known',
      async () => (await read(cluster)).status?.updateRevision !== before?.updateRevision,
    )
    await cluster.pass(2_000)
    assert.deepEqual(await images(cluster), ['app:1', 'app:1', 'app:1'], 'a partition of all pods updates none')
    await change(cluster, partition(2))
    await cluster.until('the canary is updated', async () => (await images(cluster)).join() === 'app:1,app:1,app:2')
    await ready(cluster, 3)
    const all = cluster.client.resource(pods, namespace)
    await all.delete('db-0', { gracePeriodSeconds: 0 })
    await all.delete('db-2', { gracePeriodSeconds: 0 })
    await cluster.until('pods come back at their revisions', async () => {
      const all = await livePods(cluster, 'app=db')
      return (await images(cluster)).join() === 'app:1,app:1,app:2' && all.every(isPodReady)
    })
    for (const count of [1, 0]) {
      await change(cluster, partition(count))
      const wanted = [0, 1, 2].map((ordinal) => (ordinal >= count ? 'app:2' : 'app:1')).join()
      await cluster.until(`pods from ${count} on are updated`, async () => (await images(cluster)).join() === wanted)
      await ready(cluster, 3)
    }
    await cluster.until('the update is the current revision', async () => {
      const { status } = await read(cluster)
      return status?.currentRevision === status?.updateRevision
    })
  },
)
