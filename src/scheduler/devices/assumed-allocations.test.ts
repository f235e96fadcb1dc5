import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AllocationResult, ResourceClaim } from '#api/types/resource.v1.ts'
import { AssumedAllocations } from './assumed-allocations.ts'

const allocation: AllocationResult = { devices: {} }
const claimAt = (resourceVersion: string, status: object = {}, name: string = 'c'): ResourceClaim =>
  ({ metadata: { name, namespace: 'n', resourceVersion }, spec: {}, status }) as unknown as ResourceClaim

function assuming(): AssumedAllocations {
  const assumed = new AssumedAllocations()
  assumed.assume('n/c', allocation)
  return assumed
}

test('devices are assumed to be given until the watch shows it', () => {
  const assumed = assuming()
  assumed.saw(claimAt('5'), false)
  assert.ok(assumed.has('n/c'))
  assumed.saw(claimAt('6', { allocation }), false)
  assert.ok(!assumed.has('n/c'))
})

test('a claim that has lost its devices again, or is gone, needs them no more', () => {
  const freed = assuming()
  freed.written('n/c', claimAt('6', { allocation }))
  freed.saw(claimAt('5'), false)
  assert.ok(freed.has('n/c'))
  freed.saw(claimAt('7'), false)
  assert.ok(!freed.has('n/c'))
  const gone = assuming()
  gone.saw(claimAt('5'), true)
  assert.deepEqual(gone.entries(), [])
})

test('a claim that is made for a pod gets its name later', () => {
  const assumed = assuming()
  assumed.written('n/c', claimAt('5', {}, 'made'))
  assert.deepEqual(assumed.entries(), [['n/made', allocation]])
})
