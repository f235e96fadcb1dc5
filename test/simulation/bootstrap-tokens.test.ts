import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createToken, listTokens } from '#cli/token/tokens.ts'
import { seededRandom } from '#lib/random.ts'
import { smallCluster } from './small-cluster.ts'

test('bootstrap tokens are deleted when they expire, and only those', async (t) => {
  const { client, clock, settle } = await smallCluster(t)
  const random = seededRandom(2)
  const minuteMs = 60_000
  const make = (description: string, expiresAtMs?: number): Promise<string> =>
    createToken(client, random, { description, extraGroups: [], ...(expiresAtMs !== undefined && { expiresAtMs }) })
  await make('short', clock.now() + minuteMs)
  await make('long', clock.now() + 24 * minuteMs)
  await make('lasting')
  const left = async (): Promise<string[]> => (await listTokens(client)).map(({ description }) => description).sort()
  await clock.advance(minuteMs - 1_000)
  assert.deepEqual(await left(), ['lasting', 'long', 'short'])
  await clock.advance(2_000)
  await settle()
  assert.deepEqual(await left(), ['lasting', 'long'])
})
