import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, PodSpec, TopologySpreadConstraint } from '#api/types/core.v1.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { outcome, trialCache, trialNode, trialPod, type TrialObjects } from './plugin-trial.case.ts'

const labels = { app: 'web' }
const zones = [trialNode('a', { zone: 'a' }), trialNode('b', { zone: 'b' }), trialNode('c', { zone: 'c' })]

function constraint(more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint {
  return {
    maxSkew: 1,
    topologyKey: 'zone',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: labels },
    ...more,
  }
}

let made = 0
function pod(
  constraints: TopologySpreadConstraint[],
  spec: Partial<PodSpec> = {},
  own: Record<string, string> = labels,
) {
  return trialPod(`p${made++}`, { topologySpreadConstraints: constraints, ...spec }, { labels: own })
}

interface Case {
  readonly what: string
  readonly nodes?: readonly Node[]
  /** How many like pods are on each node. */
  readonly placed: Readonly<Record<string, number>>
  readonly subject: Pod
  readonly allowed: string
}

const tainted = trialNode('c', { zone: 'c' }, { taints: [{ key: 'k', effect: 'NoSchedule' }] })

const cases: readonly Case[] = [
  { what: 'nothing placed', placed: {}, subject: pod([constraint()]), allowed: 'a b c' },
  { what: 'a skew of one', placed: { a: 1, b: 1 }, subject: pod([constraint()]), allowed: 'c' },
  { what: 'a skew of two', placed: { a: 1, b: 2 }, subject: pod([constraint({ maxSkew: 2 })]), allowed: 'a c' },
  {
    what: 'a pod that does not count itself',
    placed: { a: 1 },
    subject: pod([constraint()], {}, {}),
    allowed: 'a b c',
  },
  {
    what: 'a node without the label',
    nodes: [...zones.slice(0, 2), trialNode('x')],
    placed: { x: 3 },
    subject: pod([constraint()]),
    allowed: 'a b',
  },
  {
    what: 'too few domains',
    placed: { a: 1, b: 1, c: 1 },
    subject: pod([constraint({ minDomains: 4 })]),
    allowed: '',
  },
  {
    what: 'a node selector that leaves domains out',
    placed: { a: 1, b: 1 },
    subject: pod([constraint()], {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['c'] }] }],
          },
        },
      },
    }),
    allowed: 'a b c',
  },
  {
    what: 'nodeAffinityPolicy Ignore',
    placed: { a: 1, b: 1 },
    subject: pod([constraint({ nodeAffinityPolicy: 'Ignore' })], { nodeSelector: { zone: 'a' } }),
    allowed: 'c',
  },
  {
    what: 'a tainted domain, by default counted',
    nodes: [...zones.slice(0, 2), tainted],
    placed: { a: 1, b: 1 },
    subject: pod([constraint()]),
    allowed: 'c',
  },
  {
    what: 'nodeTaintsPolicy Honor',
    nodes: [...zones.slice(0, 2), tainted],
    placed: { a: 1, b: 1 },
    subject: pod([constraint({ nodeTaintsPolicy: 'Honor' })]),
    allowed: 'a b c',
  },
  {
    what: 'matchLabelKeys',
    placed: { a: 1, b: 1 },
    subject: pod([constraint({ matchLabelKeys: ['version'] })], {}, { ...labels, version: '2' }),
    allowed: 'a b c',
  },
  {
    what: 'two constraints',
    nodes: [
      trialNode('a', { zone: 'a', rack: '1' }),
      trialNode('b', { zone: 'b', rack: '1' }),
      trialNode('c', { zone: 'b', rack: '2' }),
    ],
    placed: { a: 1 },
    subject: pod([constraint(), constraint({ topologyKey: 'rack' })]),
    allowed: 'c',
  },
  {
    what: 'ScheduleAnyway',
    placed: { a: 5 },
    subject: pod([constraint({ whenUnsatisfiable: 'ScheduleAnyway' })]),
    allowed: 'a b c',
  },
]

for (const { what, nodes = zones, placed, subject, allowed } of cases) {
  test(`PodTopologySpread filters with ${what}`, () => {
    const cache = trialCache(nodes)
    for (const [node, count] of Object.entries(placed)) {
      for (let index = 0; index < count; index++) cache.placePod(pod([]), node)
    }
    const passed = nodes.filter(({ metadata: { name } }) => {
      const only = {
        name: 'Only',
        filter: (_pod: unknown, node: { name: string }) =>
          node.name === name ? undefined : { plugin: 'Only', reason: 'x' },
      }
      return outcome(subject, cache, [podTopologySpread(), only]) === name
    })
    assert.equal(passed.map(({ metadata: { name } }) => name).join(' '), allowed)
  })
}

test('PodTopologySpread does not count pods that are being deleted', () => {
  const cache = trialCache(zones)
  const going = trialPod('going', {}, { labels, deletionTimestamp: '2026-01-01T00:00:00Z' })
  cache.placePod(going, 'a')
  cache.placePod(pod([]), 'b')
  cache.placePod(pod([]), 'c')
  assert.equal(outcome(pod([constraint()]), cache), 'a')
})

test('PodTopologySpread says in the usual words what stands in the way', () => {
  const cache = trialCache([...zones.slice(0, 1), trialNode('x')])
  const message = outcome(pod([constraint({ minDomains: 2 })]), cache, [podTopologySpread()])
  assert.equal(message, 'a')
  cache.placePod(pod([]), 'a')
  const reason = "node(s) didn't match pod topology spread constraints"
  assert.equal(
    outcome(pod([constraint({ minDomains: 2 })]), cache, [podTopologySpread()]),
    `0/2 nodes are available: 1 ${reason}, 1 ${reason} (missing required label).`,
  )
})

test('PodTopologySpread counts anew when nodes come and go', () => {
  const cache = trialCache(zones.slice(0, 2))
  cache.placePod(pod([]), 'a')
  const subject = pod([constraint()])
  assert.equal(outcome(subject, cache), 'b')
  cache.placePod(pod([]), 'b')
  cache.setNode(zones[2] as Node)
  assert.equal(outcome(subject, cache), 'c')
  cache.removeNode('c')
  assert.match(outcome(subject, cache), /^[ab]$/)
})

const service = { metadata: { name: 's', namespace: 'default' }, spec: { selector: labels } }
const set = { metadata: { name: 'r', namespace: 'default' }, spec: { selector: { matchLabels: labels } } }
const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: 'r', controller: true }]
const soft: readonly (readonly [what: string, objects: TrialObjects, subject: Pod])[] = [
  ['own soft constraints', {}, pod([constraint({ whenUnsatisfiable: 'ScheduleAnyway' })])],
  ['the defaults for pods of a service', { services: [service] }, trialPod('q', {}, { labels })],
  ['the defaults for pods of a ReplicaSet', { replicaSets: [set] }, trialPod('q', {}, { labels, ownerReferences })],
]

for (const [what, objects, subject] of soft) {
  test(`PodTopologySpread prefers domains with fewer like pods by ${what}`, () => {
    const cache = trialCache(zones, objects)
    for (const name of ['a', 'a', 'b', 'c', 'c']) cache.placePod(pod([]), name)
    assert.equal(outcome(subject, cache, [podTopologySpread()]), 'b')
  })
}
