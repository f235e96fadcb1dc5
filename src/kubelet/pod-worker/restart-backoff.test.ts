import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  defaultRestartDelays as delays,
  nextBackoff,
  restartNotBefore,
  type RestartBackoff,
} from './restart-backoff.ts'

test('the delay doubles from 10 s to 5 min and starts over after a run of more than 10 min', () => {
  let entry: RestartBackoff | undefined
  const seconds: number[] = []
  let nowMs = 0
  for (let crash = 0; crash < 7; crash++) {
    entry = nextBackoff(entry, { finishedAtMs: nowMs, nowMs }, delays)
    seconds.push(entry.delayMs / 1000)
    nowMs += entry.delayMs
  }
  assert.deepEqual(seconds, [10, 20, 40, 80, 160, 300, 300])
  const finishedAtMs = nowMs + 600_001
  assert.equal(restartNotBefore(entry, { finishedAtMs, nowMs: finishedAtMs }, delays), undefined)
  assert.equal(nextBackoff(entry, { finishedAtMs, nowMs: finishedAtMs }, delays).delayMs, 10_000)
})

test('a restart waits from the end of the container, not from its start', () => {
  const entry = { delayMs: 10_000, restartedAtMs: 0 }
  assert.equal(restartNotBefore(entry, { finishedAtMs: 5_000, nowMs: 6_000 }, delays), 15_000)
  assert.equal(restartNotBefore(entry, { finishedAtMs: 5_000, nowMs: 15_000 }, delays), undefined)
})

test('a kubelet may be told to wait less', () => {
  const short = { initialMs: 2_000, maximumMs: 2_000 }
  const entry = nextBackoff(undefined, { finishedAtMs: 0, nowMs: 0 }, short)
  assert.deepEqual([entry.delayMs, nextBackoff(entry, { finishedAtMs: 0, nowMs: 0 }, short).delayMs], [2_000, 2_000])
})
