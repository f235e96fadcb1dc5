import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ageOf, humanDuration } from './duration.ts'
import { canonicalMicroTime, canonicalTime, parseTime } from './time.ts'

test('times are written in UTC with seconds', () => {
  assert.equal(canonicalTime('2024-02-29T12:00:00Z'), '2024-02-29T12:00:00Z')
  assert.equal(canonicalTime('2024-01-01T12:00:00.999Z'), '2024-01-01T12:00:00Z')
  assert.equal(canonicalTime('2024-01-01T01:00:00+02:00'), '2023-12-31T23:00:00Z')
  assert.equal(canonicalMicroTime('2024-01-01T01:00:00.123456Z'), '2024-01-01T01:00:00.123456Z')
  assert.equal(canonicalMicroTime('2024-01-01T01:00:00.123456+01:00'), '2024-01-01T00:00:00.123456Z')
})

test('what is no time is refused', () => {
  for (const text of [
    '',
    'yesterday',
    '2024-01-01',
    '2024-13-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-01-01T25:00:00Z',
  ]) {
    assert.throws(() => canonicalTime(text), /^TimeError: parsing time/, text)
    assert.equal(parseTime(text), undefined)
  }
  assert.throws(() => canonicalMicroTime('2024-01-01T00:00:00Z'), /000000/)
})

test('durations as kubectl shows them', () => {
  const table: readonly (readonly [number, string])[] = [
    [-5, '<invalid>'],
    [-0.5, '0s'],
    [0, '0s'],
    [5, '5s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [11_400, '3h10m'],
    [28_800, '8h'],
    [172_799, '47h'],
    [172_800, '2d'],
    [180_000, '2d2h'],
    [8 * 86_400, '8d'],
    [729 * 86_400, '729d'],
    [730 * 86_400, '2y'],
    [800 * 86_400, '2y70d'],
    [3000 * 86_400, '8y'],
  ]
  for (const [seconds, wanted] of table) assert.equal(humanDuration(seconds * 1000), wanted, String(seconds))
  assert.equal(ageOf(undefined, 0), '<unknown>')
  assert.equal(ageOf('1970-01-01T00:00:00Z', 5000), '5s')
})
