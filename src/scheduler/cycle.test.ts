import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, PodSpec } from '#api/types/core.v1.ts'
import type { ClusterCache } from './cluster-cache.ts'
import { nodesToFind } from './cycle.ts'
import { outcome, trialCache } from './plugins/plugin-trial.case.ts'

function node(name: string, spec: Partial<Node['spec']> = {}, labels: Record<string, string> = {}): Node {
  const allocatable = { cpu: '2', memory: '4Gi', pods: '3' }
  return { metadata: { name, labels }, spec, status: { allocatable } } as unknown as Node
}

let made = 0
function pod(spec: Partial<PodSpec> = {}, cpu = '500m'): Pod {
  const name = `p${made++}`
  const containers = [{ name: 'c', resources: { requests: { cpu, memory: '1Gi' } } }]
  return { metadata: { name, namespace: 'default', uid: name }, spec: { containers, ...spec } } as unknown as Pod
}

const cacheOf = (...nodes: Node[]): ClusterCache => trialCache(nodes)

const taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' } as const
const term = { matchExpressions: [{ key: 'zone', operator: 'In' as const, values: ['b'] }] }
const required = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } }
const preferred = {
  nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference: term }] },
}

const cases: readonly (readonly [what: string, nodes: Node[], subject: Pod, expected: string])[] = [
  ['no nodes', [], pod(), 'no nodes available to schedule pods'],
  ['a free node', [node('a')], pod(), 'a'],
  ['a pod too large', [node('a'), node('b')], pod({}, '3'), '0/2 nodes are available: 2 Insufficient cpu.'],
  [
    'a cordoned node',
    [node('a', { unschedulable: true })],
    pod(),
    '0/1 nodes are available: 1 node(s) were unschedulable.',
  ],
  ['a taint', [node('a', { taints: [taint] })], pod(), '0/1 nodes are available: 1 node(s) had untolerated taint(s).'],
  [
    'a tolerated taint',
    [node('a', { taints: [taint] })],
    pod({ tolerations: [{ key: 'dedicated', operator: 'Exists' }] }),
    'a',
  ],
  ['a node selector', [node('a'), node('b', {}, { disk: 'ssd' })], pod({ nodeSelector: { disk: 'ssd' } }), 'b'],
  ['required affinity', [node('a', {}, { zone: 'a' }), node('b', {}, { zone: 'b' })], pod({ affinity: required }), 'b'],
  [
    'preferred affinity',
    [node('a', {}, { zone: 'a' }), node('b', {}, { zone: 'b' })],
    pod({ affinity: preferred }),
    'b',
  ],
  [
    'several reasons',
    [node('a', { unschedulable: true }), node('b'), node('c', { taints: [taint] })],
    pod({}, '3'),
    '0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.',
  ],
]

const onNode = (name: string): Partial<PodSpec> => {
  const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: [name] }]
  const nodeSelectorTerms = [{ matchFields }]
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } }
}

const daemonCases: typeof cases = [
  ['a node named by the pod', [node('a'), node('b'), node('c')], pod(onNode('b')), 'b'],
  [
    'a named node that is full',
    [node('a'), node('b'), node('c')],
    pod(onNode('b'), '3'),
    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  ],
  [
    'a named node that is gone',
    [node('a')],
    pod(onNode('b')),
    "0/1 nodes are available: 1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  ],
]

for (const [what, nodes, subject, expected] of [...cases, ...daemonCases]) {
  test(`decide() with ${what}`, () => assert.equal(outcome(subject, cacheOf(...nodes)), expected))
}

test('decide() prefers the emptier node', () => {
  const cache = cacheOf(node('a'), node('b'))
  cache.placePod(pod(), 'a')
  assert.equal(outcome(pod(), cache), 'b')
})

test('decide() counts every reason of a node that is short of several things', () => {
  const cache = cacheOf(node('a'))
  for (let index = 0; index < 3; index++) cache.placePod(pod(), 'a')
  assert.equal(outcome(pod({}, '1'), cache), '0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods.')
})

test('decide() keeps host ports apart', () => {
  const ports = (hostPort: number): Partial<PodSpec> => ({
    containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, protocol: 'TCP' }] }],
  })
  const cache = cacheOf(node('a'))
  cache.placePod(pod(ports(8080)), 'a')
  const expected = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."
  assert.equal(outcome(pod(ports(8080)), cache), expected)
  assert.equal(outcome(pod(ports(8081)), cache), 'a')
})

test('ClusterCache forgets removed pods and remembers the pods of a node that returns', () => {
  const cache = cacheOf(node('a'))
  const big = pod({}, '2')
  cache.placePod(big, 'a')
  cache.removeNode('a')
  cache.setNode(node('a'))
  assert.match(outcome(pod(), cache), /Insufficient cpu/)
  cache.removePod(big.metadata.uid)
  assert.equal(outcome(pod(), cache), 'a')
})

test('nodesToFind() looks at fewer nodes of larger clusters', () => {
  assert.deepEqual(
    [1, 100, 101, 1_000, 5_000, 6_250].map((count) => nodesToFind(count)),
    [1, 100, 100, 420, 500, 312],
  )
})
