import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import { pods } from '#api/types/resources.ts'
import { definePlugin, type PermitQueue, type SchedulerPlugin } from '#scheduler/framework.ts'
import { defineProfile } from '#scheduler/profile.ts'
import { schedulingCluster } from './scheduling-cluster.ts'

/** A plugin that writes down at which points it was asked about which pod. */
function diary(over: Partial<SchedulerPlugin> = {}) {
  const lines: string[] = []
  const plugin: SchedulerPlugin = {
    name: 'Diary',
    preFilter: ({ pod }) => (lines.push(`preFilter ${pod.metadata.name}`), 'seen'),
    filter: ({ pod }, { name }, state) => (lines.push(`filter ${pod.metadata.name} ${name} ${state}`), undefined),
    reserve: ({ pod }, { name }, state) => (lines.push(`reserve ${pod.metadata.name} ${name} ${state}`), undefined),
    unreserve: ({ pod }, { name }) => void lines.push(`unreserve ${pod.metadata.name} ${name}`),
    permit: ({ pod }) => (lines.push(`permit ${pod.metadata.name}`), undefined),
    preBind: async ({ pod }, _node, _context, state) => void lines.push(`preBind ${pod.metadata.name} ${state}`),
    postBind: ({ pod }) => void lines.push(`postBind ${pod.metadata.name}`),
    ...over,
  }
  return { lines, profiles: [defineProfile({ additional: [definePlugin(plugin)] })] }
}

test('a plugin is asked at every point in turn', async (t) => {
  const { lines, profiles } = diary()
  const cluster = await schedulingCluster(t, profiles)
  await cluster.addNode('n1')
  await cluster.addPod('p')
  await cluster.until('it is bound', async () => lines.includes('postBind p'))
  assert.deepEqual(lines, [
    'preFilter p',
    'filter p n1 seen',
    'reserve p n1 seen',
    'permit p',
    'preBind p seen',
    'postBind p',
  ])
})

test('pods that wait for a permit go on together when a plugin allows them', async (t) => {
  const release = (uid: string, waiting: PermitQueue): { waitMs: number } | undefined => {
    const held = waiting.pods()
    if (held.length < 2) return { waitMs: 60_000 }
    for (const { pod } of held) waiting.allow(pod.uid, 'Diary')
    return uid === '' ? { waitMs: 0 } : undefined
  }
  const { profiles } = diary({ permit: ({ uid }, _node, waiting) => release(uid, waiting) })
  const cluster = await schedulingCluster(t, profiles)
  await cluster.addNode('n1')
  const isBound = async (name: string) => (await cluster.pod(name)).spec.nodeName !== undefined
  await cluster.addPod('one')
  await cluster.addPod('two')
  await cluster.clock.advance(1_000)
  assert.deepEqual([await isBound('one'), await isBound('two')], [false, false])
  await cluster.addPod('three')
  for (const name of ['one', 'two', 'three']) await cluster.until(`${name} is bound`, () => isBound(name))
})

test('a pod that nobody allows in time is sent back, and its room is free for others', async (t) => {
  const { lines, profiles } = diary({
    permit: ({ pod }) => (pod.metadata.name === 'held' ? { waitMs: 3_000 } : undefined),
    helpedBy: () => false,
  })
  const cluster = await schedulingCluster(t, profiles)
  await cluster.addNode('n1', {}, { cpu: '500m' })
  await cluster.addPod('held')
  await cluster.clock.advance(1_000)
  await cluster.addPod('other')
  const condition = async (name: string) => podCondition(await cluster.pod(name), 'PodScheduled')
  await cluster.until('the other one is refused', async () => (await condition('other'))?.status === 'False')
  await cluster.until('the first one is sent back', async () => (await condition('held'))?.status === 'False')
  assert.equal((await condition('held'))?.message, 'rejected due to timeout after waiting 3s at plugin Diary')
  assert.ok(lines.includes('unreserve held n1'))
  await cluster.until('the other one is bound', async () => (await cluster.pod('other')).spec.nodeName === 'n1')
})

test('a plugin that cannot reserve sends the pod back, one that fails before the binding has it tried again', async (t) => {
  let failures = 0
  const { lines, profiles } = diary({
    reserve: ({ pod }) => (pod.metadata.name === 'refused' ? { plugin: 'Diary', reason: 'nothing left' } : undefined),
    preBind: async () => {
      if (failures++ === 0) throw new Error('not now')
    },
  })
  const cluster = await schedulingCluster(t, profiles)
  await cluster.addNode('n1')
  await cluster.addPod('refused')
  const condition = async () => podCondition(await cluster.pod('refused'), 'PodScheduled')
  await cluster.until('it is refused', async () => (await condition())?.message === 'nothing left')
  assert.equal(cluster.scheduler.explain('test/refused')?.veto?.plugin, 'Diary')
  await cluster.addPod('p')
  await cluster.until('it is bound', async () => (await cluster.pod('p')).spec.nodeName === 'n1')
  assert.ok(lines.includes('unreserve p n1'))
  assert.equal(failures, 2)
})

test('a plugin can bind in the place of the default binder', async (t) => {
  const bound: string[] = []
  const binder: SchedulerPlugin = {
    name: 'OwnBinder',
    bind: async ({ pod }, node, { client }) => {
      if (pod.metadata.name !== 'mine') return 'skip'
      bound.push(pod.metadata.name)
      const target = { apiVersion: 'v1', kind: 'Node', name: node.metadata.name }
      const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'mine' }, target }
      await client.resource(pods, 'test').createSubresource('mine', 'binding', body)
      return 'bound'
    },
  }
  const enabled = [{ name: 'OwnBinder' }, { name: 'DefaultBinder' }]
  const sets = { bind: { enabled, disabled: [{ name: 'DefaultBinder' }] } }
  const cluster = await schedulingCluster(t, [defineProfile({ additional: [binder], sets })])
  await cluster.addNode('n1')
  for (const name of ['mine', 'other']) {
    await cluster.addPod(name)
    await cluster.until('it is bound', async () => (await cluster.pod(name)).spec.nodeName === 'n1')
  }
  assert.deepEqual(bound, ['mine'])
})

test('a plugin that fails costs its pod a try, and the others nothing', async (t) => {
  let failures = 0
  const { profiles } = diary({
    filter: ({ pod }) => {
      if (pod.metadata.name === 'unlucky' && failures++ === 0) throw new Error('a fault')
      return undefined
    },
  })
  const cluster = await schedulingCluster(t, profiles)
  await cluster.addNode('n1')
  for (const name of ['unlucky', 'other']) await cluster.addPod(name)
  for (const name of ['other', 'unlucky']) {
    await cluster.until(`${name} is bound`, async () => (await cluster.pod(name)).spec.nodeName === 'n1')
  }
})
