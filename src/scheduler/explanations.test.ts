import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { seededRandom } from '#lib/random.ts'
import type { ClusterCache } from './cluster-cache.ts'
import { decide } from './cycle.ts'
import { Explanations } from './explanations.ts'
import { PodInfo } from './pod-info.ts'
import { defineProfile } from './profile.ts'
import { trialCache, trialNode, trialPod } from './plugins/plugin-trial.case.ts'

function explain(explanations: Explanations, pod: Pod, cache: ClusterCache): void {
  const info = new PodInfo(pod)
  explanations.record(info, decide(info, cache, { profile: defineProfile(), random: seededRandom(1), startAt: 0 }), 7)
}

test('an explanation names what each plugin said, the nearest fit first', () => {
  const taints = [{ key: 'k', effect: 'NoSchedule' as const }]
  const cache = trialCache([trialNode('tainted', {}, { taints }), trialNode('full'), trialNode('fuller')])
  cache.placePod(trialPod('a', { containers: [{ name: 'c', resources: { requests: { cpu: '500m' } } }] }), 'full')
  cache.placePod(trialPod('b', { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] }), 'fuller')
  const explanations = new Explanations()
  const wanted = { containers: [{ name: 'c', resources: { requests: { cpu: '1700m' } } }] }
  explain(explanations, trialPod('p', wanted), cache)
  const lacking = (free: number) => ({
    plugin: 'NodeResourcesFit',
    reason: 'Insufficient cpu',
    unresolvable: false,
    missing: [{ resource: 'cpu', requested: 1_700, free }],
  })
  const tainted = { plugin: 'TaintToleration', reason: 'node(s) had untolerated taint(s)', unresolvable: true }
  assert.deepEqual(explanations.of('default/p'), {
    pod: 'default/p',
    uid: 'p',
    decidedMs: 7,
    message: '0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.',
    counts: [
      { plugin: 'NodeResourcesFit', reason: 'Insufficient cpu', nodes: 2 },
      { plugin: 'TaintToleration', reason: 'node(s) had untolerated taint(s)', nodes: 1 },
    ],
    nodes: [
      { node: 'full', ...lacking(1_500) },
      { node: 'fuller', ...lacking(1_000) },
      { node: 'tainted', ...tainted },
    ],
    rejectedNodes: 3,
    feasibleNodes: 0,
  })
})

test('a thousand decisions are kept, of many nodes only the nearest', () => {
  const explanations = new Explanations()
  const cache = trialCache(Array.from({ length: 150 }, (_, index) => trialNode(`n${index}`)))
  const huge = { containers: [{ name: 'c', resources: { requests: { cpu: '9' } } }] }
  for (let index = 0; index <= 1_000; index++)
    explain(explanations, trialPod(`p${index}`, index < 2 ? huge : {}), cache)
  assert.equal(explanations.of('default/p0'), undefined)
  assert.equal(explanations.of('default/p1')?.nodes.length, 100)
  assert.equal(explanations.of('default/p1')?.rejectedNodes, 150)
  assert.equal(explanations.of('default/p1000')?.feasibleNodes, 100)
})
