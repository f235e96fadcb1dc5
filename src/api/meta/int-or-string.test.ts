import assert from 'node:assert/strict'
import { test } from 'node:test'
import { percentOf, scaledValue } from './int-or-string.ts'

test('percentages scale with rounding', () => {
  assert.equal(scaledValue(3, 10, 'up'), 3)
  assert.equal(scaledValue('25%', 10, 'up'), 3)
  assert.equal(scaledValue('25%', 10, 'down'), 2)
  assert.equal(scaledValue('100%', 7, 'down'), 7)
  assert.equal(scaledValue('0%', 7, 'up'), 0)
  assert.throws(() => scaledValue('x', 1, 'up'), RangeError)
  assert.equal(percentOf('25%'), 25)
  assert.equal(percentOf(25), undefined)
})
