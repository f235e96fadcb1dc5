import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Affinity, Pod, PodAffinityTerm } from '#api/types/core.v1.ts'
import type { LabelSelector } from '#api/types/meta.v1.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { outcome, trialCache, trialNode, trialPod } from './plugin-trial.case.ts'

const nodes = [
  trialNode('a1', { zone: 'a' }),
  trialNode('a2', { zone: 'a' }),
  trialNode('b1', { zone: 'b' }),
  trialNode('none'),
]
const web: LabelSelector = { matchLabels: { app: 'web' } }
const byZone = (more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: 'zone',
  labelSelector: web,
  ...more,
})
const near = (...terms: PodAffinityTerm[]): Affinity => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
})
const away = (...terms: PodAffinityTerm[]): Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
})

let made = 0
function pod(labels: Record<string, string>, affinity?: Affinity, namespace = 'default'): Pod {
  return trialPod(`p${made++}`, affinity ? { affinity } : {}, { labels, namespace })
}

interface Case {
  readonly what: string
  readonly placed: readonly (readonly [pod: Pod, node: string])[]
  readonly subject: Pod
  /** The nodes that the plugin lets pass. */
  readonly allowed: string
}

const namespaces = [
  { metadata: { name: 'default', labels: { team: 'x' } } },
  { metadata: { name: 'other', labels: { team: 'y' } } },
]
const everyNode = 'a1 a2 b1 none'

const cases: readonly Case[] = [
  { what: 'no rules', placed: [[pod({ app: 'web' }), 'a1']], subject: pod({}), allowed: everyNode },
  { what: 'affinity', placed: [[pod({ app: 'web' }), 'a1']], subject: pod({}, near(byZone())), allowed: 'a1 a2' },
  { what: 'affinity to nobody', placed: [], subject: pod({}, near(byZone())), allowed: '' },
  { what: 'affinity to itself', placed: [], subject: pod({ app: 'web' }, near(byZone())), allowed: 'a1 a2 b1' },
  {
    what: 'two affinity terms that one pod must match together',
    placed: [
      [pod({ app: 'web' }), 'a1'],
      [pod({ app: 'web', tier: 'x' }), 'b1'],
    ],
    subject: pod({}, near(byZone(), byZone({ labelSelector: { matchLabels: { tier: 'x' } } }))),
    allowed: 'b1',
  },
  {
    what: 'anti-affinity',
    placed: [[pod({ app: 'web' }), 'a1']],
    subject: pod({}, away(byZone())),
    allowed: 'b1 none',
  },
  {
    what: 'anti-affinity of an existing pod',
    placed: [[pod({}, away(byZone())), 'a2']],
    subject: pod({ app: 'web' }),
    allowed: 'b1 none',
  },
  {
    what: 'anti-affinity to pods of another namespace',
    placed: [[pod({ app: 'web' }, undefined, 'other'), 'a1']],
    subject: pod({}, away(byZone())),
    allowed: everyNode,
  },
  {
    what: 'anti-affinity with listed namespaces',
    placed: [[pod({ app: 'web' }, undefined, 'other'), 'a1']],
    subject: pod({}, away(byZone({ namespaces: ['other'] }))),
    allowed: 'b1 none',
  },
  {
    what: 'anti-affinity with a namespace selector',
    placed: [
      [pod({ app: 'web' }, undefined, 'other'), 'a1'],
      [pod({ app: 'web' }), 'b1'],
    ],
    subject: pod({}, away(byZone({ namespaceSelector: { matchLabels: { team: 'y' } } }))),
    allowed: 'b1 none',
  },
  {
    what: 'anti-affinity with an empty namespace selector: all namespaces',
    placed: [
      [pod({ app: 'web' }, undefined, 'other'), 'a1'],
      [pod({ app: 'web' }), 'b1'],
    ],
    subject: pod({}, away(byZone({ namespaceSelector: {} }))),
    allowed: 'none',
  },
  {
    what: 'matchLabelKeys',
    placed: [
      [pod({ app: 'web', version: '1' }), 'a1'],
      [pod({ app: 'web', version: '2' }), 'b1'],
    ],
    subject: pod({ app: 'web', version: '2' }, away(byZone({ matchLabelKeys: ['version'] }))),
    allowed: 'a1 a2 none',
  },
  {
    what: 'mismatchLabelKeys',
    placed: [
      [pod({ app: 'web', tenant: '1' }), 'a1'],
      [pod({ app: 'web', tenant: '2' }), 'b1'],
    ],
    subject: pod({ app: 'web', tenant: '2' }, away(byZone({ mismatchLabelKeys: ['tenant'] }))),
    allowed: 'b1 none',
  },
  {
    what: 'no selector: it chooses no pod',
    placed: [[pod({ app: 'web' }), 'a1']],
    subject: pod({}, away({ topologyKey: 'zone' })),
    allowed: everyNode,
  },
]

for (const { what, placed, subject, allowed } of cases) {
  test(`InterPodAffinity filters with ${what}`, () => {
    const cache = trialCache(nodes, { namespaces })
    for (const [each, node] of placed) cache.placePod(each, node)
    const only = (name: string): string =>
      outcome(subject, cache, [
        interPodAffinity(),
        { name: 'Only', filter: (_pod, node) => (node.name === name ? undefined : { plugin: 'Only', reason: 'x' }) },
      ])
    const passed = nodes.map(({ metadata: { name } }) => name).filter((name) => only(name) === name)
    assert.equal(passed.join(' '), allowed)
  })
}

test('InterPodAffinity says in the usual words which rule stands in the way', () => {
  const cache = trialCache([trialNode('a1', { zone: 'a' })])
  const message = (subject: Pod): string => outcome(subject, cache, [interPodAffinity()])
  assert.equal(message(pod({}, near(byZone()))), "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.")
  cache.placePod(pod({ app: 'web' }, away(byZone({ labelSelector: { matchLabels: { app: 'db' } } }))), 'a1')
  const anti = "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."
  assert.equal(message(pod({}, away(byZone()))), anti)
  const existing = "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
  assert.equal(message(pod({ app: 'db' })), existing)
})

test('InterPodAffinity follows pods, nodes and namespaces that change', () => {
  const labels: Record<string, string> = { team: 'y' }
  const cache = trialCache(nodes.slice(0, 3), { namespaces: [{ metadata: { name: 'default', labels } }] })
  const subject = pod({}, away(byZone({ namespaceSelector: { matchLabels: { team: 'y' } } })))
  const first = pod({ app: 'web' })
  cache.placePod(first, 'a1')
  assert.equal(outcome(subject, cache), 'b1')
  cache.placePod(pod({ app: 'web' }), 'b1')
  assert.match(outcome(subject, cache), /3 node\(s\) didn't match pod anti-affinity rules/)
  cache.removePod(first.metadata.uid)
  assert.match(outcome(subject, cache), /^a[12]$/)
  cache.placePod(first, 'a1')
  cache.setNode(trialNode('a2', { zone: 'c' }))
  assert.equal(outcome(subject, cache), 'a2')
  labels['team'] = 'x'
  cache.counting.namespaceChanged()
  cache.removeNode('a2')
  assert.match(outcome(subject, cache), /^[ab]1$/)
})

const preferring = (kind: 'podAffinity' | 'podAntiAffinity'): Affinity => ({
  [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, podAffinityTerm: byZone() }] },
})

const scoring: readonly (readonly [what: string, placed: Pod, subject: Pod, expected: RegExp])[] = [
  ['preferred affinity', pod({ app: 'web' }), pod({}, preferring('podAffinity')), /^b1$/],
  ['preferred anti-affinity', pod({ app: 'web' }), pod({}, preferring('podAntiAffinity')), /^(a\d|none)$/],
  ['preferred affinity of an existing pod', pod({}, preferring('podAffinity')), pod({ app: 'web' }), /^b1$/],
  [
    'preferred anti-affinity of an existing pod',
    pod({}, preferring('podAntiAffinity')),
    pod({ app: 'web' }),
    /^(a\d|none)$/,
  ],
  ['required affinity of an existing pod', pod({ app: 'web' }, near(byZone())), pod({ app: 'web' }), /^b1$/],
]

for (const [what, placed, subject, expected] of scoring) {
  test(`InterPodAffinity scores by ${what}`, () => {
    const cache = trialCache(nodes)
    cache.placePod(placed, 'b1')
    assert.match(outcome(subject, cache, [interPodAffinity()]), expected)
  })
}
