import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deployment } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { PodDisruptionBudget } from '#api/types/policy.v1.ts'
import { deployments, podDisruptionBudgets, pods, serviceAccounts } from '#api/types/resources.ts'
import { smallCluster } from './small-cluster.ts'

test('evictions are allowed as far as the budget of a Deployment goes, and again when pods are healthy', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const accounts = client.resource(serviceAccounts, 'test')
  await cluster.until('pods can be made', async () => (await accounts.list()).items.length > 0)
  const labels = { app: 'web' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { replicas: 3, selector: { matchLabels: labels }, template } as Deployment['spec']
  await client.resource(deployments, 'test').create({ metadata: { name: 'web' }, spec })
  const budgets = client.resource(podDisruptionBudgets, 'test')
  await budgets.create({
    metadata: { name: 'b' },
    spec: { maxUnavailable: '34%', selector: { matchLabels: labels } },
  } as never)
  const podsOf = async (): Promise<readonly Pod[]> => (await client.resource(pods, 'test').list()).items
  const figures = async (): Promise<readonly (number | undefined)[]> => {
    const status = (await budgets.get('b')).status as PodDisruptionBudget['status']
    return [status?.disruptionsAllowed, status?.currentHealthy, status?.desiredHealthy, status?.expectedPods]
  }
  await cluster.until('three pods exist', async () => (await podsOf()).length === 3)
  for (const pod of await podsOf()) await cluster.run(pod)
  await cluster.until('disruptions are allowed', async () => (await figures()).join() === '2,3,1,3')
  const [first, second, third] = await podsOf()
  const evict = ({ metadata }: Pod): Promise<unknown> => {
    const { name } = metadata
    return client
      .resource(pods, 'test')
      .createSubresource(name, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })
  }
  assert.ok(first && second && third)
  await evict(first)
  await evict(second)
  await assert.rejects(evict(third), { reason: 'TooManyRequests' })
  const fresh = async (): Promise<readonly Pod[]> =>
    (await podsOf()).filter(
      ({ metadata, spec }) => metadata.deletionTimestamp === undefined && spec.nodeName === undefined,
    )
  await cluster.until('the lost are replaced', async () => (await fresh()).length === 2)
  for (const pod of await fresh()) await cluster.run(pod)
  await cluster.until('evictions are possible again', async () => (await figures())[0] === 2)
  await evict(third)
})

test('a budget that selects no pod allows nothing', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const spec = { minAvailable: '50%', selector: { matchLabels: { app: 'nothing' } } }
  const budgets = client.resource(podDisruptionBudgets, 'test')
  await budgets.create({ metadata: { name: 'b' }, spec } as never)
  await cluster.until('it is observed', async () => (await budgets.get('b')).status?.observedGeneration === 1)
  const { status } = await budgets.get('b')
  assert.equal(status?.disruptionsAllowed, 0)
  assert.equal(status?.conditions?.[0]?.reason, 'InsufficientPods')
})
