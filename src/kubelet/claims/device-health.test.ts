import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#lib/clock.ts'
import { DeviceHealth } from './device-health.ts'

test('a device is what its driver said last, for as long as that holds', async () => {
  const clock = manualClock()
  const health = new DeviceHealth(clock)
  const say = (device: string, word: 'Healthy' | 'Unhealthy', timeoutMs: number = 0): boolean =>
    health.take('d.e', [{ pool: 'p', device, health: word, timeoutMs }])
  assert.equal(health.of('d.e', 'p', 'a'), 'Unknown')
  assert.equal(say('a', 'Healthy'), true)
  assert.equal(say('a', 'Healthy'), false)
  assert.equal(say('b', 'Unhealthy', 60_000), true)
  assert.deepEqual([health.of('d.e', 'p', 'a'), health.of('d.e', 'p', 'b')], ['Healthy', 'Unhealthy'])
  await clock.advance(31_000)
  assert.deepEqual([health.of('d.e', 'p', 'a'), health.of('d.e', 'p', 'b')], ['Unknown', 'Unhealthy'])
  health.forget('d.e')
  assert.equal(health.of('d.e', 'p', 'b'), 'Unknown')
})
