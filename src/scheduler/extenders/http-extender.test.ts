import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineProfile } from '../profile.ts'
import { seededRandom } from '#lib/random.ts'
import { silentLog as log } from '#lib/log.ts'
import { PodInfo } from '../pod-info.ts'
import { decideWithExtenders } from '../scheduling-attempt.ts'
import { trialCache, trialNode, trialPod } from '../plugins/plugin-trial.case.ts'
import type { ExtenderSettings } from './extender-settings.ts'
import { httpExtender } from './http-extender.ts'

const settings: ExtenderSettings = {
  ...{ urlPrefix: 'http://127.0.0.1:1/scheduler/', filterVerb: '', prioritizeVerb: '', preemptVerb: '', bindVerb: '' },
  ...{ weight: 1, tls: { insecure: false }, timeoutMs: 1, nodeCacheCapable: true, ignorable: false },
  managedResources: [],
}

interface Trial {
  readonly changes: Partial<ExtenderSettings>
  /** What each URL answers; an Error is a failure. */
  readonly answers: Readonly<Record<string, unknown>>
}

async function decideWith({ changes, answers }: Trial) {
  const asked: object[] = []
  const extender = httpExtender({ ...settings, ...changes }, async ({ url, body }) => {
    asked.push(body)
    const answer = answers[url.replace('http://127.0.0.1:1/scheduler/', '')]
    if (answer instanceof Error) throw answer
    return answer
  })
  const cache = trialCache([trialNode('a'), trialNode('b')])
  const profile = defineProfile({ extenders: [extender] })
  const attempt = { profile, random: seededRandom(1), startAt: 0, snapshot: cache, log }
  const decision = await decideWithExtenders(new PodInfo(trialPod('p')), attempt)
  const outcome = decision?.type === 'place' ? decision.node.name : decision?.message
  return { outcome, asked }
}

test('an extender filters by name, with its own words about the rest', async () => {
  const kept = { NodeNames: ['b'], FailedNodes: { a: 'no licence' } }
  const { outcome, asked } = await decideWith({ changes: { filterVerb: 'filter' }, answers: { filter: kept } })
  assert.equal(outcome, 'b')
  assert.deepEqual(Object.keys(asked[0] ?? {}), ['Pod', 'Nodes', 'NodeNames'])
  assert.deepEqual((asked[0] as { NodeNames: string[] }).NodeNames.toSorted(), ['a', 'b'])
  const none = { nodenames: [], failedAndUnresolvableNodes: { a: 'no licence', b: 'no licence' } }
  const refused = await decideWith({ changes: { filterVerb: 'filter' }, answers: { filter: none } })
  assert.equal(refused.outcome, '0/2 nodes are available: 2 no licence.')
})

test('an extender that has no nodes of its own is sent them', async () => {
  const changes = { filterVerb: 'filter', nodeCacheCapable: false }
  const answers = { filter: { Nodes: { items: [{ metadata: { name: 'a' } }] } } }
  const { outcome, asked } = await decideWith({ changes, answers })
  assert.equal(outcome, 'a')
  assert.equal((asked[0] as { Nodes: { items: object[] } }).Nodes.items.length, 2)
})

test('the scores of an extender count by its weight', async () => {
  for (const name of ['a', 'b']) {
    const answers = { prioritize: [{ Host: name, Score: 10 }] }
    const { outcome } = await decideWith({ changes: { prioritizeVerb: 'prioritize', weight: 5 }, answers })
    assert.equal(outcome, name)
  }
})

test('a failing extender stops the pod, unless it may be passed over', async () => {
  const answers = { filter: new Error('connection refused') }
  await assert.rejects(decideWith({ changes: { filterVerb: 'filter' }, answers }), /connection refused/)
  const said = { filter: { Error: 'out of order' } }
  await assert.rejects(decideWith({ changes: { filterVerb: 'filter' }, answers: said }), /out of order/)
  const { outcome } = await decideWith({ changes: { filterVerb: 'filter', ignorable: true }, answers })
  assert.match(outcome ?? '', /^[ab]$/)
})

test('an extender that manages resources has a say only in pods that request them', () => {
  const managedResources = [{ name: 'example.com/gpu', ignoredByScheduler: true }]
  const extender = httpExtender({ ...settings, managedResources }, () => Promise.resolve({}))
  const requests = { 'example.com/gpu': '1' }
  assert.equal(extender.isInterestedIn(trialPod('p')), false)
  assert.equal(extender.isInterestedIn(trialPod('p', { containers: [{ name: 'c', resources: { requests } }] })), true)
  assert.deepEqual(extender.ignoredResources, ['example.com/gpu'])
})

test('an extender chooses among candidates for preemption, and their victims', async () => {
  const cache = trialCache([trialNode('a'), trialNode('b')])
  const [first, second] = ['first', 'second'].map((name) => new PodInfo(trialPod(name)))
  cache.placePod(first!, 'a')
  cache.placePod(second!, 'b')
  const [a, b] = [cache.node('a')!, cache.node('b')!]
  const candidates = [
    { node: a, victims: [first!], violations: 0 },
    { node: b, victims: [second!], violations: 0 },
  ]
  const asked: object[] = []
  const extender = httpExtender({ ...settings, preemptVerb: 'preempt' }, async ({ body }) => {
    asked.push(body)
    return { NodeNameToMetaVictims: { b: { Pods: [{ UID: 'second' }], NumPDBViolations: 1 } } }
  })
  const left = await extender.preempt!(new PodInfo(trialPod('p')), candidates)
  assert.deepEqual(
    left.map(({ node, victims, violations }) => [node.name, victims.map(({ uid }) => uid), violations]),
    [['b', ['second'], 1]],
  )
  const victims = (asked[0] as { NodeNameToMetaVictims: object }).NodeNameToMetaVictims
  assert.deepEqual(victims, {
    a: { Pods: [{ UID: 'first' }], NumPDBViolations: 0 },
    b: { Pods: [{ UID: 'second' }], NumPDBViolations: 0 },
  })
})

test('an extender binds, and its error is the failure', async () => {
  const asked: object[] = []
  const extender = httpExtender({ ...settings, bindVerb: 'bind' }, async ({ body }) => {
    asked.push(body)
    return asked.length > 1 ? { Error: 'no' } : {}
  })
  await extender.bind!(new PodInfo(trialPod('p')), 'a')
  assert.deepEqual(asked, [{ PodName: 'p', PodNamespace: 'default', PodUID: 'p', Node: 'a' }])
  await assert.rejects(extender.bind!(new PodInfo(trialPod('p')), 'a'), /^Error: no$/)
})
