import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCapability } from './machine.ts'

test('hasCapability() reads the effective set', () => {
  const status = 'CapPrm:\t000001ffffffffff\nCapEff:\t000001fffeffffff\n'
  assert.equal(hasCapability(status, 24n), false)
  assert.equal(hasCapability(status, 21n), true)
})
