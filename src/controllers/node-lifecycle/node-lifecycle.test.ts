import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Taint } from '#api/types/core.v1.ts'
import { evictionIntervalMs } from './eviction-rate.ts'
import { gracePeriodMs, observeHealth, silenceLeftMs, silentConditions, startupGracePeriodMs } from './health.ts'
import { decideTaints, type Eviction } from './taints.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

function node(
  conditions: Readonly<Record<string, string>>,
  more: { taints?: readonly Taint[]; unschedulable?: boolean; zone?: string } = {},
): Node {
  const { taints, unschedulable, zone = 'z' } = more
  return {
    metadata: { name: 'n', creationTimestamp: 'then', labels: { 'topology.kubernetes.io/zone': zone } },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status, reason: 'Old' })) },
  } as unknown as Node
}

const foreign: Taint = { key: 'mine', effect: 'NoExecute' }
const evicting: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: 'then' }

const cases: readonly { name: string; node: Node; eviction: Eviction; expected: readonly string[] }[] = [
  { name: 'a ready node has none', node: node({ Ready: 'True' }), eviction: 'allowed', expected: [] },
  {
    name: 'not ready keeps pods away and drives them out',
    node: node({ Ready: 'False' }),
    eviction: 'allowed',
    expected: ['not-ready:NoSchedule', 'not-ready:NoExecute'],
  },
  {
    name: 'unreachable where nobody may be driven out',
    node: node({ Ready: 'Unknown' }),
    eviction: 'held',
    expected: ['unreachable:NoSchedule'],
  },
  {
    name: 'pressures and cordoning keep pods away',
    node: node(
      { Ready: 'True', DiskPressure: 'True', MemoryPressure: 'True', PIDPressure: 'Unknown' },
      { unschedulable: true },
    ),
    eviction: 'allowed',
    expected: ['memory-pressure:NoSchedule', 'disk-pressure:NoSchedule', 'unschedulable:NoSchedule'],
  },
  {
    name: 'an eviction under way may change its reason without asking',
    node: node({ Ready: 'Unknown' }, { taints: [evicting] }),
    eviction: 'held',
    expected: ['unreachable:NoSchedule', 'unreachable:NoExecute'],
  },
  {
    name: 'no eviction goes on when no node at all is well',
    node: node({ Ready: 'Unknown' }, { taints: [evicting] }),
    eviction: 'stopped',
    expected: ['unreachable:NoSchedule'],
  },
  {
    name: 'recovery takes away what is ours and nothing else',
    node: node({ Ready: 'True' }, { taints: [foreign, evicting] }),
    eviction: 'allowed',
    expected: ['mine:NoExecute'],
  },
]

for (const { name, node, eviction, expected } of cases) {
  test(`taints: ${name}`, () => {
    const taints = decideTaints(node, eviction, nowMs).map(
      ({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`,
    )
    assert.deepEqual(taints, expected)
  })
}

test('taints that are right keep their array and the time they were added', () => {
  const taints: readonly Taint[] = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }, evicting]
  assert.equal(decideTaints(node({ Ready: 'False' }, { taints }), 'allowed', nowMs), taints)
})

test('silence counts from the last news by this clock, and longer for a node that never spoke', () => {
  const mute = node({})
  const first = observeHealth(undefined, mute, undefined, 1_000)
  assert.equal(silenceLeftMs(first, 2_000), startupGracePeriodMs - 1_000)
  const lease = (renewTime: string) => ({ spec: { renewTime } }) as never
  const spoke = observeHealth(first, mute, lease('a'), 3_000)
  assert.equal(silenceLeftMs(spoke, 3_000), gracePeriodMs)
  assert.equal(observeHealth(spoke, mute, lease('a'), 9_000), spoke)
  assert.equal(observeHealth(spoke, mute, lease('b'), 9_000).heardAtMs, 9_000)
})

test('a silent node knows nothing any more, and missing conditions are added', () => {
  const conditions = silentConditions(node({ Ready: 'True', MemoryPressure: 'False', Custom: 'True' }), nowMs)
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['Ready', 'Unknown', 'NodeStatusUnknown'],
      ['MemoryPressure', 'Unknown', 'NodeStatusUnknown'],
      ['Custom', 'True', 'Old'],
      ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'],
      ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
    ],
  )
  const silent = { ...node({}), status: { conditions } } as Node
  assert.equal(silentConditions(silent, nowMs), conditions)
})

const many = (count: number, ready: string, zone: string): readonly Node[] =>
  Array.from({ length: count }, () => node({ Ready: ready }, { zone }))

const rates: readonly [name: string, nodes: readonly Node[], expected: number | undefined][] = [
  ['one of three nodes failed', [...many(2, 'True', 'a'), ...many(1, 'Unknown', 'a')], 10_000],
  ['all nodes failed: rather this side of the network', many(3, 'Unknown', 'a'), undefined],
  ['a whole zone of several failed', [...many(3, 'Unknown', 'a'), ...many(3, 'True', 'b')], 10_000],
  ['most of a small zone failed', [...many(3, 'Unknown', 'a'), ...many(2, 'True', 'a')], undefined],
  ['most of a large zone failed', [...many(40, 'Unknown', 'a'), ...many(20, 'True', 'a')], 100_000],
]

for (const [name, nodes, expected] of rates) {
  test(`evictions: ${name}`, () => assert.equal(evictionIntervalMs(':a', nodes), expected))
}
