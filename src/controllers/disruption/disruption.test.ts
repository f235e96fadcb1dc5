import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { PodDisruptionBudget } from '#api/types/policy.v1.ts'
import { decideBudgetStatus, decideDisruptions, decideExpectation, staleDisruptionLeftMs } from './decide.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')

function budget(spec: PodDisruptionBudget['spec'], status?: PodDisruptionBudget['status']): PodDisruptionBudget {
  return { metadata: { name: 'b', namespace: 'n', generation: 3 }, spec, status } as PodDisruptionBudget
}

function pod(name: string, ready: boolean, metadata: object = {}): Pod {
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }]
  return {
    metadata: { name, namespace: 'n', ...metadata },
    spec: {},
    status: { phase: 'Running', conditions },
  } as never
}

const expectations = [
  { spec: { minAvailable: 2 }, pods: 5, scale: 0, expected: [5, 2] },
  { spec: { minAvailable: '50%' }, pods: 5, scale: 7, expected: [7, 4] },
  { spec: { maxUnavailable: 1 }, pods: 5, scale: 7, expected: [7, 6] },
  { spec: { maxUnavailable: '30%' }, pods: 5, scale: 7, expected: [7, 4] },
  { spec: { maxUnavailable: 9 }, pods: 5, scale: 7, expected: [7, 0] },
  { spec: {}, pods: 5, scale: 7, expected: [5, 0] },
] as const

for (const { spec, pods, scale, expected } of expectations) {
  test(`${JSON.stringify(spec)} of ${scale} wanted and ${pods} found wants ${expected[1]} healthy`, () => {
    const { expectedPods, desiredHealthy } = decideExpectation(budget(spec), pods, scale)
    assert.deepEqual([expectedPods, desiredHealthy], expected)
  })
}

test('pods that are unready, leaving or being evicted are not healthy', () => {
  const disruptedPods = { evicted: '2026-01-01T00:09:00Z', late: '2026-01-01T00:08:00Z', gone: '2026-01-01T00:09:50Z' }
  const known = budget({ minAvailable: 1 }, { disruptedPods })
  const pods = [
    pod('a', true),
    pod('b', true),
    pod('sick', false),
    pod('leaving', true, { deletionTimestamp: '2026-01-01T00:09:59Z' }),
    pod('evicted', true),
    pod('late', true),
  ]
  const disruptions = decideDisruptions(known, pods, nowMs)
  assert.deepEqual(disruptions.disruptedPods, { evicted: '2026-01-01T00:09:00Z' })
  assert.deepEqual(
    disruptions.overdue.map(({ metadata }) => metadata.name),
    ['late'],
  )
  assert.equal(disruptions.waitMs, 60_000)
  const status = decideBudgetStatus(known, pods, decideExpectation(known, pods.length, 0), disruptions, nowMs)
  assert.deepEqual(status, {
    disruptedPods: { evicted: '2026-01-01T00:09:00Z' },
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: 'True',
        reason: 'SufficientPods',
        message: '',
        observedGeneration: 3,
        lastTransitionTime: '2026-01-01T00:10:00Z',
      },
    ],
    currentHealthy: 3,
    desiredHealthy: 1,
    disruptionsAllowed: 2,
    expectedPods: 6,
    observedGeneration: 3,
  })
})

test('a mark of disruption is stale after two minutes', () => {
  const conditions = [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime: '2026-01-01T00:09:00Z' }]
  const marked = { ...pod('p', true), status: { phase: 'Running', conditions } } as Pod
  assert.equal(staleDisruptionLeftMs(marked, nowMs), 60_000)
  assert.equal(staleDisruptionLeftMs(pod('p', true), nowMs), undefined)
  assert.equal(
    staleDisruptionLeftMs({ ...marked, status: { phase: 'Succeeded', conditions } } as Pod, nowMs),
    undefined,
  )
})
