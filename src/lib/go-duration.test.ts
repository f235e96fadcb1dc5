import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from './go-duration.ts'

const durations: readonly [string, number, string][] = [
  ['0', 0, '0s'],
  ['300ms', 300, '300ms'],
  ['1.5h', 5_400_000, '1h30m0s'],
  ['1h30m', 5_400_000, '1h30m0s'],
  ['90s', 90_000, '1m30s'],
  ['.5s', 500, '500ms'],
  ['-2m', -120_000, '-2m0s'],
  ['24h', 86_400_000, '24h0m0s'],
]

for (const [text, valueMs, written] of durations) {
  test(`parseDuration() and formatDuration() agree on ${text}`, () => {
    assert.equal(parseDuration(text), valueMs)
    assert.equal(formatDuration(valueMs), written)
  })
}

test('parseDuration() refuses what is not a duration', () => {
  for (const text of ['', '5', 's', '1d', '1h 30m', '1..5h', '1e3s', 'h1'])
    assert.equal(parseDuration(text), undefined, text)
})
