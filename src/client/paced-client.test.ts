import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pods } from '#api/types/resources.ts'
import { manualClock } from '#lib/clock.ts'
import type { Client } from './client.ts'
import { pacedClient } from './paced-client.ts'

test('all requests of a client share one pace', async () => {
  const clock = manualClock()
  const startMs = clock.monotonic()
  const seen: string[] = []
  const note = (what: string) => async (): Promise<never> => {
    seen.push(`${what} at ${clock.monotonic() - startMs}`)
    return undefined as never
  }
  const inner = { resource: () => ({ get: note('get'), create: note('create') }), raw: note('raw') }
  const client = pacedClient(inner as unknown as Client, clock, { perSecond: 1, burst: 1 })
  const all = [
    client.resource(pods, 'ns').get('a'),
    client.raw({ method: 'GET', path: '/version' }),
    client.resource(pods, 'ns').create({} as never),
  ]
  await clock.advance(3_000)
  await Promise.all(all)
  assert.deepEqual(seen, ['get at 0', 'raw at 1000', 'create at 2000'])
})
