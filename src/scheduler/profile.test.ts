import assert from 'node:assert/strict'
import { test } from 'node:test'
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
}

test('the default profile has the default weights', () => {
  const { plugins, schedulerName, preempts } = defineProfile()
  assert.equal(schedulerName, 'default-scheduler')
  assert.equal(preempts, true)
  const scoring = plugins.filter(({ score }) => score).map(({ name, weight }) => [name, weight])
  assert.deepEqual(Object.fromEntries(scoring), weights)
})

test('a profile leaves plugins out, adds some and weighs others', () => {
  const additional = [
    { name: 'LastNode', score: (_pod: unknown, { name }: { name: string }) => (name === 'b' ? 100 : 0) },
  ]
  const profile = defineProfile({ disabled: ['*', 'DefaultPreemption'], additional, weights: { LastNode: 5 } })
  assert.deepEqual(
    profile.plugins.map(({ name, weight }) => [name, weight]),
    [['LastNode', 5]],
  )
  assert.equal(profile.preempts, false)
  assert.equal(outcome(trialPod('p'), trialCache([trialNode('a'), trialNode('b')]), profile.plugins), 'b')
  assert.throws(() => defineProfile({ disabled: ['NoSuchPlugin'] }), /"NoSuchPlugin" is not a scheduler plugin/)
})

test('a profile can demand something of all nodes', () => {
  const term = { matchExpressions: [{ key: 'pool', operator: 'Exists' as const }] }
  const addedAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
  const { plugins } = defineProfile({ addedAffinity })
  const cache = trialCache([trialNode('a'), trialNode('b', { pool: 'x' })])
  assert.equal(outcome(trialPod('p'), cache, plugins), 'b')
})
