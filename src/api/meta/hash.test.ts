import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stableHash } from './hash.ts'

test('the hash depends on the value, not on the order of keys', () => {
  assert.equal(stableHash({ a: 1, b: [1, 2] }), stableHash({ b: [1, 2], a: 1 }))
  assert.notEqual(stableHash({ a: 1 }), stableHash({ a: 2 }))
  assert.notEqual(stableHash({ a: 1 }), stableHash({ a: 1 }, 0))
  assert.equal(stableHash({ a: 1, b: undefined }), stableHash({ a: 1 }))
  assert.match(stableHash({}), /^[bcdfghjklmnpqrstvwxz2456789]{10}$/)
})

test('hashes spread', () => {
  const hashes = new Set(Array.from({ length: 2000 }, (_, index) => stableHash({ index })))
  assert.equal(hashes.size, 2000)
})
