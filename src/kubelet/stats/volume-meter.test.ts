import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#lib/clock.ts'
import type { VolumeOnHost } from '../volumes/volume-plugin.ts'
import { VolumeMeter } from './volume-meter.ts'

test('volumes are measured as often as the configuration wants it', async () => {
  const clock = manualClock()
  let looks = 0
  const volume = { hostPath: '/v', usage: async () => ({ usedBytes: ++looks }) } as unknown as VolumeOnHost
  const volumes = new Map([['data', volume]])
  const seen = async (meter: VolumeMeter): Promise<unknown> => (await meter.measure('u', volumes))[0]?.usedBytes
  const aged = new VolumeMeter(clock, 60_000)
  assert.deepEqual([await seen(aged), await seen(aged)], [1, 1])
  await clock.advance(60_000)
  assert.equal(await seen(aged), 2)
  assert.deepEqual(await aged.measure('u', volumes, () => false), [])
  const fresh = new VolumeMeter(clock, 0)
  assert.deepEqual([await seen(fresh), await seen(fresh)], [3, 4])
  assert.equal(await seen(new VolumeMeter(clock, -1)), undefined)
})
