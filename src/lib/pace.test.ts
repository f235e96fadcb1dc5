import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from './clock.ts'
import { Pace } from './pace.ts'

test('a burst goes at once, what follows at its pace', async () => {
  const clock = manualClock()
  const pace = new Pace(clock, { perSecond: 2, burst: 3 })
  const times: number[] = []
  const startMs = clock.monotonic()
  const all = Array.from({ length: 5 }, async () => {
    await pace.turn()
    times.push(clock.monotonic() - startMs)
  })
  await clock.advance(2_000)
  await Promise.all(all)
  assert.deepEqual(times, [0, 0, 0, 500, 1000])
})

test('whoever does not want to wait any more goes on', async () => {
  const pace = new Pace(manualClock(), { perSecond: 1, burst: 0 })
  const stop = new AbortController()
  const turn = pace.turn(stop.signal)
  stop.abort()
  await turn
})
