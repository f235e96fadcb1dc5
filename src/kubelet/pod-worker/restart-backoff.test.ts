import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, nextBackoff, restartNotBefore, type RestartBackoff } from './restart-backoff.ts'

test('the delay doubles from 10 s to 5 min and starts over after a run of more than 10 min', () => {
  let entry: RestartBackoff | undefined
  const delays: number[] = []
  let nowMs = 0
  for (let crash = 0; crash < 7; crash++) {
    entry = nextBackoff(entry, { finishedAtMs: nowMs, nowMs })
    delays.push(entry.delayMs / 1000)
    nowMs += entry.delayMs
  }
  assert.deepEqual(delays, [10, 20, 40, 80, 160, 300, 300])
  const finishedAtMs = nowMs + 600_001
  assert.equal(restartNotBefore(entry, { finishedAtMs, nowMs: finishedAtMs }), undefined)
  assert.equal(nextBackoff(entry, { finishedAtMs, nowMs: finishedAtMs }).delayMs, 10_000)
})

test('a restart waits from the end of the container, not from its start', () => {
  const entry = { delayMs: 10_000, restartedAtMs: 0 }
  assert.equal(restartNotBefore(entry, { finishedAtMs: 5_000, nowMs: 6_000 }), 15_000)
  assert.equal(restartNotBefore(entry, { finishedAtMs: 5_000, nowMs: 15_000 }), undefined)
})

test('durations are written as Kubernetes writes them', () => {
  const texts = [0, 500, 10_000, 80_000, 300_000, 3_600_000].map(formatDuration)
  assert.deepEqual(texts, ['0s', '500ms', '10s', '1m20s', '5m0s', '1h0m0s'])
})
