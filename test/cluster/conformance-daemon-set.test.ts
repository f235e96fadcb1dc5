/**
 * Goal: DaemonSets and ControllerRevisions behave as a conformant cluster's do. Method: the whole cluster in this process
 * with simulated nodes, one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { ControllerRevision, DaemonSet, DaemonSetSpec } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { controllerRevisions, daemonSets, nodes, pods } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import {
  livePods,
  namespace,
  showCollection,
  showStatusEndpoint,
  templateOf,
  withMissingImage,
} from './harness/workloads.ts'

const area = 'apps/daemon_set'
const labels = { app: 'agent' }

async function create({ client }: WholeCluster, spec: Partial<DaemonSetSpec> = {}): Promise<DaemonSet> {
  const basic = { selector: { matchLabels: labels }, template: templateOf(labels) }
  const metadata = { name: 'agent', labels }
  return client.resource(daemonSets, namespace).create({ metadata, spec: { ...basic, ...spec } as DaemonSetSpec })
}

const read = ({ client }: WholeCluster): Promise<DaemonSet> => client.resource(daemonSets, namespace).get('agent')

const change = ({ client }: WholeCluster, spec: object): Promise<DaemonSet> =>
  client.resource(daemonSets, namespace).patch('agent', { type: 'strategic', patch: { spec } })

const newImage = (image: string) => ({ template: { spec: { containers: [{ name: 'c', image }] } } })

/** Each of the named nodes, and no other, runs one ready pod. */
async function runsOn(cluster: WholeCluster, ...names: readonly string[]): Promise<readonly Pod[]> {
  let running: readonly Pod[] = []
  await cluster.until(`it runs on ${names.join(', ') || 'no node'}`, async () => {
    running = await livePods(cluster, 'app=agent')
    const isRunning = running.every(({ status }) => status?.phase === 'Running')
    return (
      isRunning &&
      running
        .map(({ spec }) => spec.nodeName ?? '')
        .sort()
        .join() === names.join()
    )
  })
  return running
}

behaviour(area, 'Daemon set should run and stop simple daemon', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster)
  const [first] = await runsOn(cluster, 'n1', 'n2')
  await cluster.client.resource(pods, namespace).delete(first?.metadata.name ?? '')
  await cluster.until('the pod is replaced', async () => {
    const all = await livePods(cluster, 'app=agent')
    return all.length === 2 && !all.some(({ metadata }) => metadata.uid === first?.metadata.uid)
  })
  await runsOn(cluster, 'n1', 'n2')
  await cluster.client.resource(daemonSets, namespace).delete('agent')
  await runsOn(cluster)
})

behaviour(area, 'Daemon set should run and stop complex daemon', async (t) => {
  const cluster = await wholeCluster(t)
  const label = (node: string, color: string) =>
    cluster.client.resource(nodes).patch(node, { type: 'merge', patch: { metadata: { labels: { color } } } })
  await create(cluster, { template: templateOf(labels, {}, { nodeSelector: { color: 'blue' } }) })
  await cluster.pass(500)
  await runsOn(cluster)
  await label('n1', 'blue')
  await runsOn(cluster, 'n1')
  await label('n1', 'green')
  await runsOn(cluster)
  const selector = { template: { spec: { nodeSelector: { color: 'green' } } } }
  await change(cluster, { ...selector, updateStrategy: { type: 'RollingUpdate' } })
  await runsOn(cluster, 'n1')
  const term = { matchExpressions: [{ key: 'color', operator: 'In', values: ['red'] }] }
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
  await change(cluster, { template: { spec: { nodeSelector: null, affinity: { nodeAffinity: required } } } })
  await runsOn(cluster)
  await label('n2', 'red')
  await runsOn(cluster, 'n2')
})

behaviour(area, 'Daemon set should retry creating failed daemon pods', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster)
  const [first] = await runsOn(cluster, 'n1', 'n2')
  const { name = '', uid = '' } = first?.metadata ?? {}
  const patch = { status: { phase: 'Failed' } }
  await cluster.client.resource(pods, namespace).patch(name, { type: 'merge', patch }, { subresource: 'status' })
  await cluster.until('the failed pod is gone', async () => {
    const all = await livePods(cluster, 'app=agent')
    return !all.some(({ metadata }) => metadata.uid === uid)
  })
  await runsOn(cluster, 'n1', 'n2')
})

behaviour(
  area,
  'Daemon set should update pod when spec was updated and update strategy is RollingUpdate',
  async (t) => {
    const cluster = await wholeCluster(t)
    const revisionsOf = async () =>
      (await cluster.client.resource(controllerRevisions, namespace).list({ labelSelector: 'app=agent' })).items
    await create(cluster, { updateStrategy: { type: 'RollingUpdate' } })
    await runsOn(cluster, 'n1', 'n2')
    assert.deepEqual(
      (await revisionsOf()).map(({ revision }) => revision),
      [1],
    )
    await change(cluster, newImage('app:2'))
    await cluster.until('all pods are updated', async () => {
      const { status } = await read(cluster)
      return status?.updatedNumberScheduled === 2 && status.numberAvailable === 2 && status.observedGeneration === 2
    })
    const updated = await runsOn(cluster, 'n1', 'n2')
    assert.deepEqual(
      updated.map(({ spec }) => spec.containers[0]?.image),
      ['app:2', 'app:2'],
    )
    const revisions = (await revisionsOf()).toSorted((a, b) => a.revision - b.revision)
    assert.deepEqual(
      revisions.map(({ revision }) => revision),
      [1, 2],
    )
    const hash = 'controller-revision-hash'
    assert.ok(updated.every(({ metadata }) => metadata.labels?.[hash] === revisions[1]?.metadata.labels?.[hash]))
  },
)

behaviour(area, 'Daemon set should rollback without unnecessary restarts', async (t) => {
  const cluster = await wholeCluster(t, { node: { behaviour: withMissingImage } })
  await create(cluster, { updateStrategy: { type: 'RollingUpdate' } })
  const before = await runsOn(cluster, 'n1', 'n2')
  await change(cluster, newImage('missing:1'))
  await cluster.until('the rollout is stuck at one pod', async () => {
    const all = await livePods(cluster, 'app=agent')
    return all.some(({ spec, status }) => spec.containers[0]?.image === 'missing:1' && status?.phase === 'Pending')
  })
  await change(cluster, newImage('app:1'))
  await cluster.until('all pods are of the first template', async () => {
    const all = await livePods(cluster, 'app=agent')
    return all.length === 2 && all.every(({ spec }) => spec.containers[0]?.image === 'app:1')
  })
  const after = await runsOn(cluster, 'n1', 'n2')
  const kept = after.filter(({ metadata }) => before.some((pod) => pod.metadata.uid === metadata.uid))
  assert.equal(kept.length, 1, 'the pod that had not been updated is left alone')
  assert.equal(kept[0]?.status?.containerStatuses?.[0]?.restartCount, 0)
})

behaviour(area, 'Daemon set should list and delete a collection of DaemonSets', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster)
  await runsOn(cluster, 'n1', 'n2')
  await showCollection(cluster, daemonSets, 'app=agent', 1)
  await runsOn(cluster)
})

behaviour(area, 'Daemon set should verify changes to a daemon set status', async (t) => {
  const cluster = await wholeCluster(t)
  await create(cluster)
  await runsOn(cluster, 'n1', 'n2')
  await showStatusEndpoint(cluster, daemonSets, 'agent')
})

behaviour(
  'apps/controller_revision',
  'ControllerRevision should manage the lifecycle of a ControllerRevision',
  async (t) => {
    const cluster = await wholeCluster(t)
    const { client } = cluster
    const collection = client.resource(controllerRevisions, namespace)
    const revisionsOf = async (): Promise<readonly ControllerRevision[]> => {
      const { items } = await client.resource(controllerRevisions).list({ labelSelector: 'app=agent' })
      return items.toSorted((a, b) => a.revision - b.revision)
    }
    await create(cluster)
    await runsOn(cluster, 'n1', 'n2')
    const [initial] = await revisionsOf()
    assert.equal(initial?.revision, 1)
    const patch = { metadata: { labels: { patched: 'yes' } } }
    await collection.patch(initial.metadata.name, { type: 'strategic', patch })
    assert.equal((await collection.list({ labelSelector: 'patched=yes' })).items.length, 1)
    const { ownerReferences = [] } = initial.metadata
    await collection.create({
      metadata: { name: 'made-by-hand', labels, ownerReferences },
      data: initial.data,
      revision: 2,
    })
    await cluster.until('there are two revisions', async () => (await revisionsOf()).length === 2)
    await collection.delete(initial.metadata.name)
    await cluster.until(
      'one of them went',
      async () => !(await revisionsOf()).some(({ metadata }) => metadata.uid === initial.metadata.uid),
    )
    await cluster.until('a revision was updated', async () => {
      const known = (await revisionsOf())[0]
      if (known === undefined) return false
      const metadata = { ...known.metadata, labels: { ...known.metadata.labels, updated: 'yes' } }
      return collection.update({ ...known, metadata }).then(
        () => true,
        () => false,
      )
    })
    await change(cluster, {
      template: { spec: { terminationGracePeriodSeconds: 1 } },
      updateStrategy: { type: 'RollingUpdate' },
    })
    await cluster.until('the update has its revision', async () => (await revisionsOf()).length >= 2)
    await collection.deleteCollection({ labelSelector: 'updated=yes' })
    await cluster.until('one is left', async () => (await revisionsOf()).length === 1)
    assert.equal((await revisionsOf())[0]?.revision, 3)
  },
)
