import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isConditionTrue, removeCondition, setCondition, type ConditionLike } from './conditions.ts'

const now = '2026-01-01T00:00:00Z'
const later = '2026-01-01T00:01:00Z'

test('a condition changes its transition time only with its status', () => {
  const first = setCondition<ConditionLike>(undefined, { type: 'Ready', status: 'True' }, now)
  assert.deepEqual(first, [{ type: 'Ready', status: 'True', lastTransitionTime: now }])
  const reworded = setCondition<ConditionLike>(first, { type: 'Ready', status: 'True', reason: 'Still' }, later)
  assert.deepEqual(reworded, [{ type: 'Ready', status: 'True', reason: 'Still', lastTransitionTime: now }])
  const flipped = setCondition<ConditionLike>(reworded, { type: 'Ready', status: 'False' }, later)
  assert.equal(flipped[0]?.lastTransitionTime, later)
  assert.equal(isConditionTrue(flipped, 'Ready'), false)
  assert.equal(isConditionTrue(first, 'Ready'), true)
})

test('nothing changed is the same array', () => {
  const conditions = setCondition<ConditionLike>([], { type: 'A', status: 'True' }, now)
  assert.equal(setCondition(conditions, { type: 'A', status: 'True' }, later), conditions)
  assert.equal(removeCondition(conditions, 'B'), conditions)
  assert.deepEqual(removeCondition(conditions, 'A'), [])
})
