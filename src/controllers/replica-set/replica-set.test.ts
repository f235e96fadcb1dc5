import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodStatus } from '#api/types/core.v1.ts'
import { decideReplicas, decideStatus, isSameStatus, nextAvailabilityMs, type ReplicaGoal } from './decide.ts'
import { rankForDeletion } from './rank.ts'

const nowMs = Date.parse('2026-01-01T01:00:00Z')
const goal: ReplicaGoal = { replicas: 3, minReadySeconds: 0, templateLabels: { app: 'web' }, isLeaving: false }

interface PodFacts {
  readonly phase?: PodStatus['phase']
  /** Minutes since it became ready. */
  readonly ready?: number
  readonly node?: string
  readonly age?: number
  readonly cost?: string
  readonly restarts?: number
  readonly terminating?: boolean
  readonly labels?: Readonly<Record<string, string>>
}

function minutesAgo(minutes: number): string {
  return new Date(nowMs - minutes * 60_000).toISOString()
}

function pod(name: string, facts: PodFacts = {}): Pod {
  const { phase = 'Running', ready, node = 'n1', age = 60, cost, restarts = 0, terminating, labels } = facts
  const status = ready === undefined ? 'False' : 'True'
  const conditions = [{ type: 'Ready', status, lastTransitionTime: minutesAgo(ready ?? 0) }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      namespace: 'default',
      resourceVersion: '1',
      creationTimestamp: minutesAgo(age),
      labels: labels ?? { app: 'web' },
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
      ...(terminating ? { deletionTimestamp: minutesAgo(0) } : {}),
    },
    spec: { containers: [], ...(node === '' ? {} : { nodeName: node }) },
    status: { phase, conditions, containerStatuses: [{ restartCount: restarts }] },
  } as unknown as Pod
}

const rankings: readonly { why: string; pods: readonly Pod[] }[] = [
  { why: 'not on a node', pods: [pod('a', { node: '', ready: 1 }), pod('b')] },
  {
    why: 'pending before unknown before running',
    pods: [pod('a', { phase: 'Pending' }), pod('b', { phase: 'Unknown' }), pod('c')],
  },
  { why: 'not ready', pods: [pod('a'), pod('b', { ready: 1 })] },
  {
    why: 'cheap by annotation',
    pods: [pod('a', { ready: 9, cost: '-5' }), pod('b', { ready: 1 }), pod('c', { ready: 1, cost: '5' })],
  },
  {
    why: 'sharing its node with others',
    pods: [pod('a', { ready: 1, node: 'n1' }), pod('b', { ready: 1, node: 'n2' })],
  },
  { why: 'ready for a shorter time', pods: [pod('a', { ready: 1, age: 500 }), pod('b', { ready: 30, age: 60 })] },
  { why: 'restarted more often', pods: [pod('a', { ready: 1, restarts: 3 }), pod('b', { ready: 1 })] },
  { why: 'younger', pods: [pod('a', { ready: 1, age: 2 }), pod('b', { ready: 1, age: 60 })] },
]

for (const { why, pods } of rankings) {
  test(`a scale-down first takes the pod that is ${why}`, () => {
    const related = why.startsWith('sharing') ? [...pods, pod('sibling', { node: 'n1' })] : []
    const ranked = rankForDeletion(pods.toReversed(), related, nowMs)
    assert.deepEqual(
      ranked.map(({ metadata }) => metadata.name),
      pods.map(({ metadata }) => metadata.name),
    )
  })
}

test('active pods count, finished and terminating ones do not', () => {
  const owned = [pod('a'), pod('b', { phase: 'Failed' }), pod('c', { terminating: true })]
  assert.deepEqual(
    decideReplicas(goal, owned, () => [], nowMs),
    { create: 2, delete: [] },
  )
})

test('too many pods are cut to size; an owner that goes does nothing', () => {
  const owned = [pod('a', { ready: 1 }), pod('b'), pod('c', { ready: 1 }), pod('d', { ready: 1 })]
  const names = decideReplicas(goal, owned, () => owned, nowMs).delete.map(({ metadata }) => metadata.name)
  assert.deepEqual(names, ['b'])
  const leaving = decideReplicas({ ...goal, isLeaving: true }, owned, () => owned, nowMs)
  assert.deepEqual(leaving, { create: 0, delete: [] })
})

test('one round creates no more than 500', () => {
  assert.equal(decideReplicas({ ...goal, replicas: 2_000 }, [], () => [], nowMs).create, 500)
})

test('the status counts what is ready, available, fully labelled and terminating', () => {
  const owned = [
    pod('a', { ready: 5 }),
    pod('b', { ready: 0.1 }),
    pod('c', { labels: {} }),
    pod('d', { terminating: true, ready: 5 }),
    pod('e', { phase: 'Succeeded' }),
  ]
  const slow = { ...goal, minReadySeconds: 60 }
  assert.deepEqual(decideStatus({ goal: slow, generation: 4, old: undefined, owned, failure: undefined, nowMs }), {
    replicas: 3,
    fullyLabeledReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 1,
    observedGeneration: 4,
  })
  assert.equal(nextAvailabilityMs(slow, owned, nowMs), 54_000)
  assert.equal(nextAvailabilityMs(goal, owned, nowMs), undefined)
})

test('a failure stands in a condition until a round without one', () => {
  const failure = { reason: 'FailedCreate' as const, message: 'exceeded quota' }
  const base = { goal, generation: 1, owned: [], nowMs }
  const failed = decideStatus({ ...base, old: undefined, failure })
  assert.deepEqual(failed.conditions, [
    { type: 'ReplicaFailure', status: 'True', ...failure, lastTransitionTime: '2026-01-01T01:00:00Z' },
  ])
  const again = decideStatus({ ...base, old: failed, failure: { ...failure, message: 'other words' } })
  assert.ok(isSameStatus(failed, again))
  const mended = decideStatus({ ...base, old: failed, failure: undefined })
  assert.equal(mended.conditions, undefined)
  assert.ok(!isSameStatus(failed, mended))
})
