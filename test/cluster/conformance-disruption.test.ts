/**
 * Goal: disruption budgets and taints behave as in a conformant cluster. Method: the whole cluster in this process with
 * simulated nodes, one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { Pod, Toleration } from '#api/types/core.v1.ts'
import type { PodDisruptionBudget } from '#api/types/policy.v1.ts'
import { namespaces, nodes, podDisruptionBudgets, pods, replicaSets } from '#api/types/resources.ts'
import { isStatusError } from '#api/meta/status.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { livePods, namespace, readPart, templateOf } from './harness/workloads.ts'

const area = 'apps/disruption'
const labels = { app: 'web' }

function budget({ client }: WholeCluster, minAvailable: number | string, name = 'budget', where = namespace) {
  const spec = { minAvailable, selector: { matchLabels: labels } }
  return client.resource(podDisruptionBudgets, where).create({ metadata: { name, labels: { made: 'here' } }, spec })
}

const read = ({ client }: WholeCluster): Promise<PodDisruptionBudget> =>
  client.resource(podDisruptionBudgets, namespace).get('budget')

async function processed(cluster: WholeCluster): Promise<void> {
  await cluster.until('the budget is processed', async () => {
    const { metadata, status } = await read(cluster)
    return status?.observedGeneration === metadata.generation
  })
}

function createSet({ client }: WholeCluster, replicas: number): Promise<unknown> {
  const spec = { replicas, selector: { matchLabels: labels }, template: templateOf(labels) }
  return client.resource(replicaSets, namespace).create({ metadata: { name: 'web' }, spec })
}

async function run({ client }: WholeCluster, name: string, tolerations: readonly Toleration[] = []): Promise<void> {
  const { spec } = templateOf(labels, {}, { tolerations })
  await client.resource(pods, namespace).create({ metadata: { name, labels }, spec: spec as Pod['spec'] })
}

async function running(cluster: WholeCluster, count: number): Promise<readonly Pod[]> {
  await cluster.until(`${count} pods run`, async () => {
    const all = await livePods(cluster, 'app=web')
    return all.length === count && all.every(({ status }) => status?.phase === 'Running')
  })
  return livePods(cluster, 'app=web')
}

behaviour(area, 'DisruptionController should create a PodDisruptionBudget', async (t) => {
  const cluster = await wholeCluster(t)
  const collection = cluster.client.resource(podDisruptionBudgets, namespace)
  await budget(cluster, '1%')
  await processed(cluster)
  await cluster.until('it was updated', async () => {
    const known = await read(cluster)
    const updating = collection.update({ ...known, spec: { ...known.spec, minAvailable: '2%' } })
    return updating.then(
      () => true,
      () => false,
    )
  })
  await processed(cluster)
  assert.equal((await read(cluster)).spec?.minAvailable, '2%')
  await collection.patch('budget', { type: 'strategic', patch: { spec: { minAvailable: '3%' } } })
  await processed(cluster)
  assert.equal((await read(cluster)).spec?.minAvailable, '3%')
  await collection.delete('budget')
  await assert.rejects(read(cluster), (error) => isStatusError(error, 'NotFound'))
})

behaviour(area, 'DisruptionController should observe PodDisruptionBudget status updated', async (t) => {
  const cluster = await wholeCluster(t)
  await budget(cluster, 1)
  await createSet(cluster, 3)
  await running(cluster, 3)
  await cluster.until('two disruptions are allowed', async () => (await read(cluster)).status?.disruptionsAllowed === 2)
})

behaviour(area, 'DisruptionController should update/patch PodDisruptionBudget status', async (t) => {
  const cluster = await wholeCluster(t)
  await budget(cluster, 1)
  await createSet(cluster, 1)
  const [pod] = await running(cluster, 1)
  await processed(cluster)
  const name = pod?.metadata.name ?? ''
  const collection = cluster.client.resource(podDisruptionBudgets, namespace)
  const disrupted = async () =>
    Object.keys((await readPart(cluster, podDisruptionBudgets, 'budget', 'status')).status?.disruptedPods ?? {})
  await cluster.until('the status was updated', async () => {
    const known = await read(cluster)
    if (known.status === undefined) return false
    const disruptedPods = { [name]: '2026-01-01T00:00:00Z' }
    return collection.updateStatus({ ...known, status: { ...known.status, disruptedPods } }).then(
      () => true,
      () => false,
    )
  })
  assert.deepEqual(await disrupted(), [name])
  const patch = { status: { disruptedPods: { [name]: null } } }
  await collection.patch('budget', { type: 'merge', patch }, { subresource: 'status' })
  assert.deepEqual(await disrupted(), [])
})

behaviour(
  area,
  'DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets',
  async (t) => {
    const cluster = await wholeCluster(t)
    const { client } = cluster
    await client.resource(namespaces).create({ metadata: { name: 'other' }, spec: {} })
    await budget(cluster, 1)
    await budget(cluster, '2%', 'second')
    await budget(cluster, 1, 'elsewhere', 'other')
    const list = async (): Promise<readonly string[]> => {
      const { items } = await client.resource(podDisruptionBudgets).list({ labelSelector: 'made=here' })
      return items.map(({ metadata }) => metadata.name).sort()
    }
    assert.deepEqual(await list(), ['budget', 'elsewhere', 'second'])
    await client.resource(podDisruptionBudgets, namespace).deleteCollection({ labelSelector: 'made=here' })
    assert.deepEqual(await list(), ['elsewhere'])
  },
)

behaviour(area, 'DisruptionController should block an eviction until the PDB is updated to allow it', async (t) => {
  const cluster = await wholeCluster(t)
  const evict = async (name: string): Promise<unknown> => {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } }
    return cluster.client.resource(pods, namespace).createSubresource(name, 'eviction', body)
  }
  await createSet(cluster, 3)
  const [pod] = await running(cluster, 3)
  const name = pod?.metadata.name ?? ''
  await budget(cluster, 3)
  await processed(cluster)
  await assert.rejects(evict(name), (error) => isStatusError(error, 'TooManyRequests'))
  await cluster.client
    .resource(podDisruptionBudgets, namespace)
    .patch('budget', { type: 'merge', patch: { spec: { minAvailable: 2 } } })
  await cluster.until('one disruption is allowed', async () => (await read(cluster)).status?.disruptionsAllowed === 1)
  await evict(name)
  await cluster.until('the pod is gone', async () => {
    return !(await livePods(cluster, 'app=web')).some(({ metadata }) => metadata.name === name)
  })
})

const taint = { key: 'test/evict', value: 'yes', effect: 'NoExecute' } as const
const tolerating = (tolerationSeconds: number): Toleration => ({ ...taint, operator: 'Equal', tolerationSeconds })

const setTaints = ({ client }: WholeCluster, taints: readonly object[] | null): Promise<unknown> =>
  client.resource(nodes).patch('n1', { type: 'merge', patch: { spec: { taints } } })

behaviour('node/taints', 'NoExecuteTaintManager Single Pod removing taint cancels eviction', async (t) => {
  const cluster = await wholeCluster(t, { nodes: ['n1'] })
  await run(cluster, 'web-1', [tolerating(60)])
  const [pod] = await running(cluster, 1)
  await setTaints(cluster, [taint])
  await cluster.pass(30_000)
  await setTaints(cluster, null)
  await cluster.pass(90_000)
  const [kept] = await running(cluster, 1)
  assert.equal(kept?.metadata.uid, pod?.metadata.uid)
})

behaviour('node/taints', 'NoExecuteTaintManager Multiple Pods evicts pods with minTolerationSeconds', async (t) => {
  const cluster = await wholeCluster(t, { nodes: ['n1'] })
  await run(cluster, 'web-1', [tolerating(5)])
  await run(cluster, 'web-2', [tolerating(20)])
  await running(cluster, 2)
  const names = async (): Promise<readonly string[]> =>
    (await livePods(cluster, 'app=web')).map(({ metadata }) => metadata.name)
  await setTaints(cluster, [taint])
  await cluster.pass(3_000)
  assert.equal((await names()).length, 2)
  await cluster.pass(7_000)
  assert.deepEqual(await names(), ['web-2'])
  await cluster.until('the second pod went, too', async () => (await names()).length === 0, { withinMs: 15_000 })
})
