import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import { formatTime, manualClock } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { createTokenSource } from './token-source.ts'

const pod = { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec: { serviceAccountName: 'sa' } } as unknown as Pod
const hour = 3_600_000

test('a token is asked for once, and again when four fifths of its life are over', async () => {
  const clock = manualClock()
  const asked: string[] = []
  const client = {
    resource: () => ({
      createSubresource: async (account: string, _name: string, body: { spec: { expirationSeconds: number } }) => {
        asked.push(`${account} ${JSON.stringify(body.spec)}`)
        const expirationTimestamp = formatTime(clock.now() + body.spec.expirationSeconds * 1000)
        return { status: { token: `token-${asked.length}`, expirationTimestamp } }
      },
    }),
  } as unknown as Client
  const source = createTokenSource({ client, clock, random: seededRandom(1) })
  const ask = (audience = ''): Promise<string> =>
    source.token(pod, { audience, expirationSeconds: 3600 }).then(({ token }) => token)
  assert.equal(await ask(), 'token-1')
  assert.match(asked[0] ?? '', /^sa {"expirationSeconds":3600,"boundObjectRef":{.*"name":"p","uid":"u"}}$/)
  assert.equal(await ask('vault'), 'token-2')
  assert.match(asked[1] ?? '', /"audiences":\["vault"\]/)
  const { refreshAtMs } = await source.token(pod, { audience: '', expirationSeconds: 3600 })
  assert.ok(refreshAtMs <= clock.now() + 0.8 * hour && refreshAtMs > clock.now() + 0.75 * hour)
  await clock.advance(0.75 * hour)
  assert.equal(await ask(), 'token-1')
  await clock.advance(0.06 * hour)
  assert.equal(await ask(), 'token-3')
  source.forget('u')
  assert.equal(await ask(), 'token-4')
})
