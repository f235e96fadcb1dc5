import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import type { Client } from '#client/client.ts'
import { manualClock } from '#lib/clock.ts'
import { authenticate, tokenReviewer } from './authentication.ts'
import { subjectAccessReviewer } from './kubelet-access.ts'

/** Answers every creation with what `answer` makes of it. */
function clientOf(answer: (spec: Readonly<Record<string, unknown>>) => object, asked: unknown[]): Client {
  const create = async ({ spec }: { spec: Readonly<Record<string, unknown>> }): Promise<object> => {
    asked.push(spec)
    return { status: answer(spec) }
  }
  return { resource: () => ({ create }) } as unknown as Client
}

const requestWith = (authorization?: string): IncomingMessage =>
  ({ socket: { authorized: false }, headers: { ...(authorization && { authorization }) } }) as never

test('bearer tokens are asked about once in a while', async () => {
  const clock = manualClock()
  const asked: unknown[] = []
  const client = clientOf(
    ({ token }) => ({ authenticated: token === 'good', user: { username: 'u', uid: '1', groups: ['g'] } }),
    asked,
  )
  const reviewToken = tokenReviewer(client, clock, 120_000)
  const who = (authorization?: string, allowsAnonymous = false): ReturnType<typeof authenticate> =>
    authenticate(requestWith(authorization), { reviewToken, allowsAnonymous })
  const user = { name: 'u', uid: '1', groups: ['g'] }
  assert.deepEqual([await who('Bearer good'), await who('Bearer good'), asked.length], [user, user, 1])
  assert.equal(await who('Bearer bad', true), undefined, 'a bad token is no anonymous')
  assert.equal(await who(), undefined)
  assert.deepEqual(await who(undefined, true), { name: 'system:anonymous', groups: ['system:unauthenticated'] })
  await clock.advance(121_000)
  await who('Bearer good')
  assert.deepEqual(asked, [{ token: 'good' }, { token: 'bad' }, { token: 'good' }])
})

test('without reviews nobody has a token', async () => {
  assert.equal(await authenticate(requestWith('Bearer good'), { allowsAnonymous: true }), undefined)
})

test('decisions are remembered, a yes for longer than a no', async () => {
  const clock = manualClock()
  const asked: unknown[] = []
  const client = clientOf(({ user }) => ({ allowed: user === 'yes' }), asked)
  const allowed = subjectAccessReviewer(client, { clock, allowedMs: 300_000, refusedMs: 30_000 })
  const ask = (name: string): Promise<boolean> =>
    allowed({ user: { name, groups: [] }, verb: 'get', subresource: 'proxy', nodeName: 'n' })
  assert.deepEqual([await ask('yes'), await ask('no'), await ask('yes'), await ask('no')], [true, false, true, false])
  assert.equal(asked.length, 2)
  await clock.advance(31_000)
  await Promise.all([ask('yes'), ask('no')])
  assert.equal(asked.length, 3)
  await clock.advance(300_000)
  await ask('yes')
  assert.equal(asked.length, 4)
})
