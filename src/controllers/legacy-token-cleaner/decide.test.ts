import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Secret } from '#api/types/core.v1.ts'
import { fateOfToken } from './decide.ts'

const day = 86_400_000
const keepMs = 365 * day
const cases = [
  ['one that was never used, since tracking began', '2020-01-01', '2026-01-01', {}, '2026-12-31', { waitMs: day }],
  ['after a year', '2020-01-01', '2026-01-01', {}, '2027-01-01', 'invalidate'],
  ['a younger one', '2026-06-01', '2026-01-01', {}, '2027-01-01', { waitMs: 151 * day }],
  [
    'the day of its use counts whole',
    '2020-01-01',
    '2020-01-01',
    { used: '2026-01-01' },
    '2027-01-01',
    { waitMs: day },
  ],
  ['after that', '2020-01-01', '2020-01-01', { used: '2026-01-01' }, '2027-01-02', 'invalidate'],
  ['an invalid one', '2020-01-01', '2020-01-01', { invalid: '2026-01-01' }, '2026-12-31', { waitMs: day }],
  ['after another year', '2020-01-01', '2020-01-01', { invalid: '2026-01-01' }, '2027-01-01', 'delete'],
  [
    'an invalid one that somebody tried',
    '2020-01-01',
    '2020-01-01',
    { invalid: '2026-01-01', used: '2026-03-01' },
    '2027-01-01',
    { waitMs: 60 * day },
  ],
] as const

for (const [name, created, tracked, labels, now, fate] of cases) {
  test(`a token of a secret: ${name}`, () => {
    const { used, invalid } = labels as { used?: string; invalid?: string }
    const secret = {
      metadata: {
        creationTimestamp: `${created}T00:00:00Z`,
        labels: {
          ...(used && { 'kubernetes.io/legacy-token-last-used': used }),
          ...(invalid && { 'kubernetes.io/legacy-token-invalid-since': invalid }),
        },
      },
    } as unknown as Secret
    const nowMs = Date.parse(now)
    assert.deepEqual(fateOfToken(secret, { keepMs, trackedSinceMs: Date.parse(tracked), nowMs }), fate)
  })
}
