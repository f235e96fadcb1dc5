import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff, backoffMs } from './backoff.ts'
import { seededRandom } from './random.ts'

test('the delay doubles from the first failure up to the limit', () => {
  const options = { initialMs: 5, maxMs: 1_000_000 }
  assert.deepEqual(
    [1, 2, 3, 10, 18, 19, 5_000].map((failures) => backoffMs(options, failures)),
    [5, 10, 20, 2_560, 655_360, 1_000_000, 1_000_000],
  )
})

test('jitter only stretches, and a reset starts over', () => {
  const backoff = new Backoff({ initialMs: 100, maxMs: 400, jitter: 0.5 }, seededRandom(1))
  const delays = Array.from({ length: 5 }, () => backoff.nextMs())
  const floors = [100, 200, 400, 400, 400]
  delays.forEach((delay, index) => assert.ok(delay >= floors[index]! && delay <= floors[index]! * 1.5))
  backoff.reset()
  assert.ok(backoff.nextMs() <= 150)
})
