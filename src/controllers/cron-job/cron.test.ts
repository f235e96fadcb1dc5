import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastTime, nextTime, parseCron } from './cron.ts'

const utc = (text: string): number => Date.parse(text)
const shown = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString()

const cases = [
  ['*/15 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:15:00.000Z'],
  ['*/15 * * * *', 'UTC', '2026-01-01T00:59:59Z', '2026-01-01T01:00:00.000Z'],
  ['5/20 * * * *', 'UTC', '2026-01-01T00:26:00Z', '2026-01-01T00:45:00.000Z'],
  ['0 12 * * mon-fri', 'UTC', '2026-01-02T12:00:00Z', '2026-01-05T12:00:00.000Z'],
  ['0 0 29 feb ?', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ['0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z', undefined],
  // Both day fields given: either is enough. A star with a step counts as given.
  ['0 0 13 * 5', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00.000Z'],
  ['0 0 13 * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-13T00:00:00.000Z'],
  ['0 0 */10 * 0', 'UTC', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.000Z'],
  ['0 0 */1 * 0', 'UTC', '2026-01-01T00:00:00Z', '2026-01-04T00:00:00.000Z'],
  ['@monthly', 'Europe/Berlin', '2026-06-10T00:00:00Z', '2026-06-30T22:00:00.000Z'],
  ['@every 1h30m', 'UTC', '2026-01-01T00:00:10.500Z', '2026-01-01T01:30:10.000Z'],
  // New York skips 02:30 on 8 March and has 01:30 twice on 1 November.
  ['30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', '2026-03-09T06:30:00.000Z'],
  ['30 1 * * *', 'America/New_York', '2026-11-01T05:00:00Z', '2026-11-01T05:30:00.000Z'],
  ['30 1 * * *', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T06:30:00.000Z'],
  ['0 3 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00:00Z', '2026-04-04T16:30:00.000Z'],
] as const

for (const [schedule, zone, after, expected] of cases) {
  test(`after ${after}, ${schedule} in ${zone} comes at ${expected}`, () => {
    assert.equal(shown(nextTime(parseCron(schedule), utc(after), zone)), expected)
  })
}

test('the last time of a stretch is found however long it is', () => {
  const last = (schedule: string, from: string, to: string): string | undefined =>
    shown(lastTime(parseCron(schedule), utc(from), utc(to), 'UTC'))
  assert.equal(last('* * * * *', '2020-01-01T00:00:00Z', '2026-01-01T00:00:30Z'), '2026-01-01T00:00:00.000Z')
  assert.equal(last('0 0 1 1 *', '2020-01-01T00:00:00Z', '2026-11-01T00:00:00Z'), '2026-01-01T00:00:00.000Z')
  assert.equal(last('0 0 1 1 *', '2026-01-01T00:00:00Z', '2026-11-01T00:00:00Z'), undefined)
  assert.equal(last('0 0 1 1 *', '2025-12-31T00:00:00Z', '2026-01-01T00:00:00Z'), '2026-01-01T00:00:00.000Z')
  assert.equal(last('@every 7m', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z'), '2026-01-01T00:56:00.000Z')
})
