import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { seededRandom } from '#lib/random.ts'
import type { ClusterCache } from '../cluster-cache.ts'
import { decide } from '../cycle.ts'
import type { Candidate, Refusal } from '../framework.ts'
import { PodInfo } from '../pod-info.ts'
import { defineProfile } from '../profile.ts'
import { trialCache, trialNode, trialPod, type TrialObjects } from '../plugins/plugin-trial.case.ts'
import { chooseCandidate } from './choose-candidate.ts'
import { planPreemption } from './plan-preemption.ts'

const nowMs = Date.parse('2026-01-02T00:00:00Z')

interface PodOptions {
  readonly labels?: Record<string, string>
  readonly started?: string
  readonly never?: boolean
}

function pod(name: string, priority: number, cpu: string, { labels = {}, started, never }: PodOptions = {}): Pod {
  const made = trialPod(
    name,
    {
      priority,
      containers: [{ name: 'c', resources: { requests: { cpu } } }],
      ...(never && { preemptionPolicy: 'Never' as const }),
    },
    { labels },
  )
  return { ...made, ...(started && { status: { startTime: started } }) }
}

function plan(subject: Pod, cache: ClusterCache): string {
  const info = new PodInfo(subject)
  const random = seededRandom(1)
  const refusal = decide(info, cache, { profile: defineProfile(), random, startAt: 0 })
  assert.equal(refusal.type, 'reject')
  const planned = planPreemption(info, refusal as Refusal, { snapshot: cache, random, nowMs, options: {} })
  if (planned.type !== 'preempt') return planned.message
  const { node, victims } = chooseCandidate(planned.candidates, nowMs) as Candidate
  return `${node.name}: ${victims.map(({ uid }) => uid).join(' ')}`
}

const budget = (name: string, app: string, disruptionsAllowed: number) => ({
  metadata: { name, namespace: 'default' },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed },
})

interface Case {
  readonly what: string
  readonly placed: Readonly<Record<string, readonly Pod[]>>
  readonly subject?: Pod
  readonly objects?: TrialObjects
  readonly expected: string
}

const urgent = pod('urgent', 100, '1500m')
const cases: readonly Case[] = [
  { what: 'the one lower pod', placed: { a: [pod('low', 0, '2')] }, expected: 'a: low' },
  {
    what: 'nobody of the same priority',
    placed: { a: [pod('same', 100, '2')] },
    expected: '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  },
  {
    what: 'nobody where even the end of all would not do',
    placed: { a: [pod('low', 0, '1'), pod('same', 100, '1')] },
    expected: '0/1 nodes are available: 1 Insufficient cpu.',
  },
  {
    what: 'nobody for more than a whole node',
    placed: { a: [pod('low', 0, '1')] },
    subject: pod('huge', 100, '3'),
    expected: '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  },
  {
    what: 'nobody by preemptionPolicy Never',
    placed: { a: [pod('low', 0, '2')] },
    subject: pod('patient', 100, '1', { never: true }),
    expected: 'not eligible due to preemptionPolicy=Never.',
  },
  {
    what: 'no more than needed, the least important first',
    placed: { a: [pod('mid', 50, '500m'), pod('low', 0, '500m'), pod('lower', -1, '1')] },
    expected: 'a: low lower',
  },
  {
    what: 'the node with the least important victims',
    placed: { a: [pod('mid', 50, '2')], b: [pod('low', 0, '2')] },
    expected: 'b: low',
  },
  {
    what: 'the node with fewest victims',
    placed: { a: [pod('a1', 0, '1'), pod('a2', 0, '1')], b: [pod('b1', 0, '2')] },
    expected: 'b: b1',
  },
  {
    what: 'the victims that started last',
    placed: {
      a: [pod('old', 0, '2', { started: '2026-01-01T00:00:00Z' })],
      b: [pod('young', 0, '2', { started: '2026-01-01T01:00:00Z' })],
    },
    expected: 'b: young',
  },
  {
    what: 'pods without a budget before those with one',
    placed: { a: [pod('kept', 0, '2', { labels: { app: 'x' } })], b: [pod('mid', 50, '2')] },
    objects: { budgets: [budget('x', 'x', 0)] },
    expected: 'b: mid',
  },
  {
    what: 'pods whose budget allows it',
    placed: { a: [pod('spare', 0, '2', { labels: { app: 'x' } })], b: [pod('mid', 50, '2')] },
    objects: { budgets: [budget('x', 'x', 1)] },
    expected: 'a: spare',
  },
  {
    what: 'pods whose budget selects all, which counts for nothing here',
    placed: { a: [pod('spare', 0, '2', { labels: { app: 'x' } })], b: [pod('mid', 50, '2')] },
    objects: { budgets: [{ ...budget('x', 'x', 0), spec: { selector: {} } }] as never },
    expected: 'a: spare',
  },
  {
    what: 'pods with a budget where nothing else is left',
    placed: { a: [pod('kept', 0, '2', { labels: { app: 'x' } })] },
    objects: { budgets: [budget('x', 'x', 0)] },
    expected: 'a: kept',
  },
]

for (const { what, placed, subject = urgent, objects = {}, expected } of cases) {
  test(`preemption chooses ${what}`, () => {
    const cache = trialCache(
      Object.keys(placed).map((name) => trialNode(name)),
      objects,
    )
    for (const [name, pods] of Object.entries(placed)) for (const each of pods) cache.placePod(each, name)
    assert.equal(plan(subject, cache), expected)
    for (const [name, pods] of Object.entries(placed)) assert.equal(cache.node(name)?.pods.size, pods.length)
  })
}

test('preemption ends the holder of an anti-affinity term that keeps the pod away', () => {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  const holder = trialPod('holder', { affinity, priority: 0 })
  const cache = trialCache([trialNode('a')])
  cache.placePod(trialPod('bystander', { priority: 0 }), 'a')
  cache.placePod(holder, 'a')
  assert.equal(plan(trialPod('p', { priority: 1 }, { labels: { app: 'x' } }), cache), 'a: holder')
})

test('a pod that is nominated keeps its room from pods of lower priority, but not from its betters', () => {
  const cache = trialCache([trialNode('a')])
  cache.nominate(new PodInfo(pod('waiting', 50, '2')), 'a')
  const outcome = (priority: number): string => {
    const options = { profile: defineProfile(), random: seededRandom(1), startAt: 0 }
    const decision = decide(new PodInfo(pod('p', priority, '1')), cache, options)
    return decision.type === 'place' ? decision.node.name : decision.message
  }
  assert.equal(outcome(0), '0/1 nodes are available: 1 Insufficient cpu.')
  assert.equal(outcome(100), 'a')
})
