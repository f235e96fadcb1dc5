import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExtensionPoint, PluginSets } from './extension-points.ts'
import { outcome, trialCache, trialNode, trialPod } from './plugins/plugin-trial.case.ts'
import { defineProfile } from './profile.ts'

/** Upstream's default weights (KubeSchedulerConfiguration v1). */
const weights = {
  TaintToleration: 3,
  NodeAffinity: 2,
  PodTopologySpread: 2,
  InterPodAffinity: 2,
  NodeResourcesFit: 1,
  NodeResourcesBalancedAllocation: 1,
  ImageLocality: 1,
  DynamicResources: 1,
}

test('the default profile has the default weights and extension points', () => {
  const { points, schedulerName } = defineProfile()
  assert.equal(schedulerName, 'default-scheduler')
  const scoring = points.score.map(({ plugin, weight }) => [plugin.name, weight])
  assert.deepEqual(Object.fromEntries(scoring), weights)
  const names = (point: ExtensionPoint) => points[point].map(({ plugin }) => plugin.name)
  assert.deepEqual(names('queueSort'), ['PrioritySort'])
  assert.deepEqual(names('preEnqueue'), ['SchedulingGates'])
  assert.deepEqual(names('postFilter'), ['DynamicResources', 'DefaultPreemption'])
  assert.deepEqual(names('bind'), ['DefaultBinder'])
})

const lastNode = {
  name: 'LastNode',
  score: (_pod: unknown, { name }: { name: string }) => (name === 'b' ? 100 : 0),
}

test('a profile leaves plugins out, adds some and weighs others', () => {
  const profile = defineProfile({ disabled: ['*'], additional: [lastNode], weights: { LastNode: 5 } })
  assert.deepEqual(
    profile.points.score.map(({ plugin, weight }) => [plugin.name, weight]),
    [['LastNode', 5]],
  )
  assert.equal(profile.points.postFilter.length, 0)
  assert.equal(outcome(trialPod('p'), trialCache([trialNode('a'), trialNode('b')]), profile), 'b')
  assert.throws(() => defineProfile({ disabled: ['NoSuchPlugin'] }), /"NoSuchPlugin" is not a scheduler plugin/)
})

const arrangements: readonly (readonly [what: string, sets: PluginSets, point: ExtensionPoint, expected: string])[] = [
  [
    'a default plugin keeps its place and takes another weight',
    { multiPoint: { enabled: [{ name: 'TaintToleration', weight: 7 }] } },
    'score',
    'TaintToleration:7 NodeAffinity:2',
  ],
  [
    'a plugin is left out of one point',
    { score: { disabled: [{ name: 'TaintToleration' }] } },
    'score',
    'NodeAffinity:2 NodeResourcesFit:1',
  ],
  [
    'and stays at others',
    { score: { disabled: [{ name: 'TaintToleration' }] } },
    'filter',
    'NodeUnschedulable:1 NodeName:1 TaintToleration:3',
  ],
  [
    'a point puts a plugin first that all points have',
    { score: { enabled: [{ name: 'ImageLocality', weight: 9 }] } },
    'score',
    'ImageLocality:9 TaintToleration:3',
  ],
  [
    'a point has only what it names',
    { score: { disabled: [{ name: '*' }], enabled: [{ name: 'ImageLocality' }, { name: 'LastNode' }] } },
    'score',
    'ImageLocality:1 LastNode:1',
  ],
  [
    'a plugin of its own comes after the default ones',
    { multiPoint: { enabled: [{ name: 'LastNode', weight: 4 }] } },
    'score',
    'ImageLocality:1 LastNode:4',
  ],
]

for (const [what, sets, point, expected] of arrangements) {
  test(`plugin sets: ${what}`, () => {
    const { points } = defineProfile({ sets, additional: [lastNode] })
    const shown = points[point].map(({ plugin, weight }) => `${plugin.name}:${weight}`).join(' ')
    assert.match(shown, new RegExp(expected))
  })
}

const impossible: readonly (readonly [sets: PluginSets, message: string])[] = [
  [{ filter: { enabled: [{ name: 'Nothing' }] } }, 'Filter plugin "Nothing" does not exist'],
  [{ multiPoint: { enabled: [{ name: 'Nothing' }] } }, 'plugin "Nothing" does not exist'],
  [{ bind: { enabled: [{ name: 'NodeName' }] } }, 'plugin "NodeName" does not extend Bind plugin'],
  [
    { queueSort: { disabled: [{ name: '*' }] } },
    'no queue sort plugin is enabled for profile with scheduler name "default-scheduler"',
  ],
  [
    { bind: { disabled: [{ name: 'DefaultBinder' }] } },
    'at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
  ],
]

for (const [sets, message] of impossible) {
  test(`plugin sets are refused: ${message}`, () => assert.throws(() => defineProfile({ sets }), { message }))
}

test('a profile can demand something of all nodes', () => {
  const term = { matchExpressions: [{ key: 'pool', operator: 'Exists' as const }] }
  const addedAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
  const profile = defineProfile({ addedAffinity })
  const cache = trialCache([trialNode('a'), trialNode('b', { pool: 'x' })])
  assert.equal(outcome(trialPod('p'), cache, profile), 'b')
})
