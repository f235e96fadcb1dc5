import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proposeByPods, proposeByShare, proposeByValue } from './proposal.ts'

const tolerance = { down: 0.1, up: 0.1 }

/** Percent of a request of 1000 that pods use; `unready` and `missing` are counts. */
const byUse = [
  { name: 'twice the target doubles', use: [100, 100], target: 50, replicas: 4 },
  { name: 'half the target halves', use: [25, 25, 25, 25], target: 50, replicas: 2 },
  { name: 'within the tolerance nothing changes', use: [54, 54, 54], target: 50, replicas: 3 },
  { name: 'a missing pod uses nothing on the way up', use: [100, 100], missing: 1, target: 50, replicas: 4 },
  { name: 'and stops it where that is enough', use: [60, 60], missing: 1, target: 50, replicas: 3 },
  { name: 'a missing pod uses all on the way down', use: [10, 10, 10], missing: 1, target: 50, replicas: 3 },
  { name: 'pods that start use nothing on the way up', use: [120], unready: 2, target: 50, replicas: 3 },
  { name: 'and do not count on the way down', use: [20, 20], unready: 1, target: 50, replicas: 1 },
]

for (const { name, use, target, replicas, missing = 0, unready = 0 } of byUse) {
  test(name, () => {
    const names = (count: number, prefix: string) => Array.from({ length: count }, (_, at) => `${prefix}${at}`)
    const ready = new Map(use.map((percent, at) => [`r${at}`, percent * 10]))
    const pods = { ready, missing: names(missing, 'm'), unready: names(unready, 'u') }
    const all = [...ready.keys(), ...pods.missing, ...pods.unready]
    const requests = new Map(all.map((pod) => [pod, 1_000]))
    const proposal = proposeByPods({
      pods,
      currentReplicas: all.length,
      tolerance,
      target: { utilization: target, requests },
    })
    assert.equal(proposal.replicas, replicas)
  })
}

test('without a single sample nothing can be said', () => {
  const pods = { ready: new Map(), missing: ['a'], unready: [] }
  const goal = { pods, currentReplicas: 1, tolerance, target: { averageMilli: 1 } }
  assert.throws(() => proposeByPods(goal), /did not receive metrics for targeted pods/)
})

test('figures of other things scale the ready pods, or are shared out', () => {
  assert.equal(proposeByValue(2, { currentReplicas: 3, readyPods: 3, tolerance }), 6)
  assert.equal(proposeByValue(1.05, { currentReplicas: 3, readyPods: 3, tolerance }), 3)
  assert.equal(proposeByValue(2.5, { currentReplicas: 0, readyPods: 0, tolerance }), 3)
  assert.equal(proposeByShare(30_000, { targetMilli: 5_000, statusReplicas: 3, tolerance }), 6)
  assert.equal(proposeByShare(15_000, { targetMilli: 5_000, statusReplicas: 3, tolerance }), 3)
})
