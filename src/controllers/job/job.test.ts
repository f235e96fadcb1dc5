import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '#api/types/batch.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { keptBack, retryLeftMs } from './index-failures.ts'
import { metSuccessRule } from './success-policy.ts'
import { tallyPods, trackingFinalizer } from './tally.ts'

function job(spec: object, status: object = {}): Job {
  return {
    metadata: { name: 'j', uid: 'j' },
    spec: { completionMode: 'Indexed', completions: 4, ...spec },
    status,
  } as never
}

function pod(name: string, index: number, phase: string, failures = 0): Pod {
  const annotations = {
    'batch.kubernetes.io/job-completion-index': String(index),
    'batch.kubernetes.io/job-index-failure-count': String(failures),
  }
  const state = { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:00:00Z' } }
  const metadata = { name, uid: name, annotations, finalizers: [trackingFinalizer], creationTimestamp: '' }
  return { metadata, spec: {}, status: { phase, containerStatuses: [{ name: 'c', state }] } } as never
}

test('only the last failure of an index that goes on is kept back', () => {
  const [a, b, c, d] = [
    pod('a', 0, 'Failed', 0),
    pod('b', 0, 'Failed', 1),
    pod('c', 1, 'Failed', 0),
    pod('d', 2, 'Failed', 0),
  ]
  const kept = keptBack([a, b, c, d, pod('c2', 1, 'Running', 1)], [a, b, c, d], (index) => index === 2)
  assert.deepEqual(
    [...kept].map(([index, { metadata }]) => [index, metadata.name]),
    [[0, 'b']],
  )
})

test('an index waits ten seconds after its first failure, and twice as long after each more', () => {
  const nowMs = Date.parse('2026-01-01T00:00:01Z')
  const waits = [0, 1, 2].map((failures) => retryLeftMs(job({}), pod('p', 0, 'Failed', failures), nowMs))
  assert.deepEqual(waits, [9_000, 19_000, 39_000])
})

test('ends are counted once whatever step a crash came after', () => {
  const ended = [pod('a', 0, 'Succeeded'), pod('b', 1, 'Succeeded')]
  const first = tallyPods(job({}), ended)
  assert.deepEqual(first.uncounted.succeeded, ['a', 'b'])
  assert.deepEqual(first.counted, { succeeded: 0, failed: 0 })
  const written = { uncountedTerminatedPods: { succeeded: ['a', 'b'] }, completedIndexes: '0,1' }
  // The status was written, the finalizer of a is off, that of b is not.
  const freed = { ...ended[0], metadata: { ...ended[0]?.metadata, finalizers: [] } } as unknown as Pod
  const second = tallyPods(job({}, written), [freed, ended[1] as Pod])
  assert.deepEqual(second.counted, { succeeded: 1, failed: 0 })
  assert.deepEqual(second.uncounted.succeeded, ['b'])
  // Both pods are gone altogether.
  assert.deepEqual(tallyPods(job({}, written), []).counted, { succeeded: 2, failed: 0 })
})

const policies = [
  { rules: [{ succeededCount: 2 }], completed: [1, 3], met: 'Matched rules at index 0' },
  {
    rules: [{ succeededIndexes: '0-1' }, { succeededIndexes: '3' }],
    completed: [1, 3],
    met: 'Matched rules at index 1',
  },
  { rules: [{ succeededIndexes: '0-2', succeededCount: 1 }], completed: [1], met: 'Matched rules at index 0' },
  { rules: [{ succeededIndexes: '0-1' }], completed: [1, 3], met: undefined },
  { rules: [], completed: [0, 1, 2, 3], met: undefined },
]

for (const { rules, completed, met } of policies) {
  test(`${completed.join()} of ${JSON.stringify(rules)}: ${met}`, () => {
    assert.equal(metSuccessRule(job({ successPolicy: { rules } }), new Set(completed)), met)
  })
}
