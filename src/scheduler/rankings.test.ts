import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import { seededRandom } from '#lib/random.ts'
import type { ClusterCache } from './cluster-cache.ts'
import { decide, type Placement } from './cycle.ts'
import { PodInfo } from './pod-info.ts'
import { defineProfile, type Profile } from './profile.ts'
import { trialCache, trialNode, trialPod } from './plugins/plugin-trial.case.ts'
import { scoreNodes } from './scores.ts'
import { firstRejection, preparePod } from './filters.ts'
import { Veto } from './framework.ts'
import { Rankings } from './rankings.ts'

/**
 * Goal: what is remembered of nodes is what would be found by looking at all of them. Method: pods come and go and nodes
 * change at random, and each choice is compared with the best of all nodes.
 */

const random = seededRandom(7)
const pick = (limit: number): number => Math.floor(random.next() * limit)
const profile = defineProfile()

function podOf(name: string, cpu: string): Pod {
  return trialPod(name, { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory: '64Mi' } } }] })
}

/** The highest score of all nodes that could take the pod, or nothing. */
function bestScore(info: PodInfo, cache: ClusterCache, by: Profile): { score: number; of: (name: string) => number } {
  const prepared = preparePod(info, cache, by)
  assert.ok(!(prepared instanceof Veto))
  const nodes = cache.nodes.filter((node) => firstRejection(prepared, node) === undefined)
  const scores = scoreNodes(prepared, nodes, cache)
  return {
    score: Math.max(-Infinity, ...scores),
    of: (name) => scores[nodes.findIndex((node) => node.name === name)] ?? Number.NaN,
  }
}

test('the node that is remembered as the best is the best, whatever happens in between', () => {
  const cache = trialCache(Array.from({ length: 400 }, (_, index) => trialNode(`n${index}`)))
  const rankings = new Rankings(random)
  const placed: PodInfo[] = []
  const changes: readonly (() => void)[] = [
    () => {
      const [gone] = placed.splice(pick(placed.length), 1)
      if (gone) cache.removePod(gone.uid)
    },
    () => cache.removeNode(`n${pick(400)}`),
    () => cache.setNode(trialNode(`n${pick(400)}`)),
    () => cache.setNode(trialNode(`n${pick(400)}`, {}, { unschedulable: pick(2) === 0 })),
    () => cache.setNode(trialNode(`n${pick(400)}`, {}, { taints: [{ key: 'k', effect: 'NoSchedule' }] })),
  ]
  let remembered = 0
  for (let round = 0; round < 1_500; round++) {
    if (round % 3 === 0) changes[pick(changes.length)]?.()
    const info = new PodInfo(podOf(`p${round}`, ['100m', '200m'][pick(2)] ?? ''))
    const { score, of } = bestScore(info, cache, profile)
    const decision = decide(info, cache, { profile, random, startAt: 0, rankings })
    if (decision.type === 'reject') {
      assert.equal(score, -Infinity)
      continue
    }
    if (decision.evaluated === 0) {
      remembered++
      assert.equal(of(decision.node.name), score, `round ${round}`)
    }
    cache.placePod(info, decision.node.name)
    placed.push(info)
  }
  assert.ok(remembered > 1_000, String(remembered))
})

test('pods that others have a say in take the long way', () => {
  const cache = trialCache(Array.from({ length: 250 }, (_, index) => trialNode(`n${index}`, { zone: `z${index % 3}` })))
  const constraint = {
    ...{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' as const },
    labelSelector: { matchLabels: { a: 'b' } },
  }
  const rankings = new Rankings(random)
  for (let index = 0; index < 4; index++) {
    const pod = trialPod(`p${index}`, { topologySpreadConstraints: [constraint] }, { labels: { a: 'b' } })
    const decision = decide(new PodInfo(pod), cache, { profile, random, startAt: 0, rankings })
    assert.ok((decision as Placement).evaluated > 0)
  }
})
