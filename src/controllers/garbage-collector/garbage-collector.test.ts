import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { decideFate, type OwnerState } from './decide.ts'

const object = (...finalizers: string[]) => ({ metadata: { finalizers } }) as unknown as KubernetesObject
const owners = (...states: OwnerState['state'][]): readonly OwnerState[] =>
  states.map((state, index) => ({ state, reference: { uid: `u${index}`, apiVersion: 'v1', kind: 'X', name: 'x' } }))

const cases: readonly {
  readonly states: readonly OwnerState['state'][]
  readonly finalizers?: readonly string[]
  readonly hasDependents?: boolean
  readonly expected: ReturnType<typeof decideFate>
}[] = [
  { states: ['present'], expected: { type: 'keep' } },
  { states: ['unknown'], expected: { type: 'keep' } },
  { states: ['absent', 'unknown'], expected: { type: 'keep' } },
  { states: ['absent', 'present', 'waiting'], expected: { type: 'disown', uids: ['u0', 'u2'] } },
  { states: ['absent'], expected: { type: 'delete', policy: 'Background' } },
  { states: ['absent', 'absent'], finalizers: ['orphan'], expected: { type: 'delete', policy: 'Orphan' } },
  { states: ['absent'], finalizers: ['foregroundDeletion'], expected: { type: 'delete', policy: 'Foreground' } },
  { states: ['waiting'], hasDependents: false, expected: { type: 'delete', policy: 'Background' } },
  { states: ['waiting', 'absent'], hasDependents: true, expected: { type: 'delete', policy: 'Foreground' } },
]

for (const { states, finalizers = [], hasDependents = false, expected } of cases) {
  const what = [states.join(' and '), ...finalizers, ...(hasDependents ? ['dependents'] : [])].join(', ')
  test(`owners ${what}: ${expected.type}`, () => {
    assert.deepEqual(
      decideFate(object(...finalizers), owners(...states), () => hasDependents),
      expected,
    )
  })
}
