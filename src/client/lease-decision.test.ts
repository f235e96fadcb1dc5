import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LeaseSpec } from '#api/types/coordination.v1.ts'
import { decideLease, releasedLease } from './lease-decision.ts'

const nowMs = Date.parse('2026-01-01T00:01:00Z')
const now = '2026-01-01T00:01:00.000000Z'
const before = '2026-01-01T00:00:00.000000Z'
const held = (holderIdentity: string): LeaseSpec => ({
  holderIdentity,
  leaseDurationSeconds: 15,
  acquireTime: before,
  renewTime: before,
  leaseTransitions: 3,
})

const cases: {
  name: string
  current: LeaseSpec | undefined
  unchangedForMs: number
  expected: LeaseSpec | undefined
}[] = [
  {
    name: 'no lease: take it',
    current: undefined,
    unchangedForMs: 0,
    expected: { holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime: now, renewTime: now, leaseTransitions: 0 },
  },
  { name: 'mine: renew', current: held('me'), unchangedForMs: 0, expected: { ...held('me'), renewTime: now } },
  {
    name: "another's and fresh here, however old its times: wait",
    current: held('you'),
    unchangedForMs: 14_999,
    expected: undefined,
  },
  {
    name: "another's and unchanged for its duration: take over",
    current: held('you'),
    unchangedForMs: 15_000,
    expected: { ...held('me'), acquireTime: now, renewTime: now, leaseTransitions: 4 },
  },
  {
    name: 'released: take over at once',
    current: releasedLease(held('you'), nowMs),
    unchangedForMs: 0,
    expected: { ...held('me'), acquireTime: now, renewTime: now, leaseTransitions: 4 },
  },
]

for (const { name, current, unchangedForMs, expected } of cases) {
  test(name, () => {
    assert.deepEqual(decideLease({ current, identity: 'me', leaseDurationMs: 15_000, unchangedForMs, nowMs }), expected)
  })
}
