import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import { decide } from '../cycle.ts'
import { PodInfo } from '../pod-info.ts'
import { defineProfile } from '../profile.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { trialCache, trialNode, trialPod } from './plugin-trial.case.ts'
import { cpuAndMemory, useScoreOf, type ScoringStrategy } from './scoring-strategy.ts'

const resources = cpuAndMemory
const shape = [
  { utilization: 0, score: 0 },
  { utilization: 50, score: 10 },
  { utilization: 100, score: 5 },
]
const use = (used: number, weight = 1) => ({ capacity: 100, used, weight })

const cases: readonly (readonly [strategy: ScoringStrategy, uses: readonly ReturnType<typeof use>[], score: number])[] =
  [
    [{ type: 'LeastAllocated', resources }, [use(20), use(60)], 60],
    [{ type: 'LeastAllocated', resources }, [use(20, 3), use(60)], 70],
    [{ type: 'LeastAllocated', resources }, [use(120)], 0],
    [{ type: 'LeastAllocated', resources }, [], 0],
    [{ type: 'MostAllocated', resources }, [use(20), use(60)], 40],
    [{ type: 'MostAllocated', resources }, [use(120)], 100],
    [{ type: 'RequestedToCapacityRatio', resources, shape }, [use(25)], 50],
    [{ type: 'RequestedToCapacityRatio', resources, shape }, [use(75)], 75],
    [{ type: 'RequestedToCapacityRatio', resources, shape }, [use(130)], 50],
    [{ type: 'RequestedToCapacityRatio', resources, shape }, [use(0), use(50)], 100],
  ]

for (const [strategy, uses, score] of cases) {
  test(`${strategy.type} gives ${score} to ${uses.map(({ used, weight }) => `${used} x${weight}`).join(', ')}`, () => {
    assert.equal(useScoreOf(strategy)(uses), score)
  })
}

test('a profile that fills nodes up chooses the fuller one', () => {
  const cache = trialCache([trialNode('empty'), trialNode('used')])
  cache.placePod(trialPod('old'), 'used')
  const chosen = (strategy: ScoringStrategy): string | undefined => {
    const profile = defineProfile({ disabled: ['*'], additional: [nodeResourcesFit({ scoringStrategy: strategy })] })
    const decision = decide(new PodInfo(trialPod('p')), cache, { profile, random: seededRandom(1), startAt: 0 })
    return decision.type === 'place' ? decision.node.name : undefined
  }
  assert.equal(chosen({ type: 'MostAllocated', resources }), 'used')
  assert.equal(chosen({ type: 'LeastAllocated', resources }), 'empty')
})
