import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Secret } from '../../types/core.v1.ts'
import { bootstrapTokenFacts, bootstrapTokenSecret } from './bootstrap-token.ts'
import { formatJoinToken, parseJoinToken } from './join-token.ts'

const token = {
  id: 'abcdef',
  secret: '0123456789abcdef',
  description: 'third rack',
  expiresAtMs: Date.UTC(2026, 0, 2),
  extraGroups: ['system:bootstrappers:a', 'system:bootstrappers:b'],
}

test('bootstrapTokenSecret() writes what bootstrapTokenFacts() reads', () => {
  const secret = bootstrapTokenSecret(token)
  assert.equal(secret.metadata.name, 'bootstrap-token-abcdef')
  const { id, description, expiresAtMs, extraGroups } = token
  const facts = { id, description, expiresAtMs, extraGroups, usages: ['authentication', 'signing'] }
  assert.deepEqual(bootstrapTokenFacts(secret as unknown as Secret), facts)
})

test('bootstrapTokenSecret() leaves out an expiration that is not wanted', () => {
  const { expiresAtMs: _never, ...lasting } = token
  const secret = bootstrapTokenSecret(lasting)
  assert.equal(secret.data?.['expiration'], undefined)
  assert.equal(bootstrapTokenFacts(secret as unknown as Secret)?.expiresAtMs, undefined)
})

test('bootstrapTokenFacts() leaves other secrets alone', () => {
  const secret = { ...bootstrapTokenSecret(token), type: 'Opaque' }
  assert.equal(bootstrapTokenFacts(secret as unknown as Secret), undefined)
})

const bearer = `${token.id}.${token.secret}`
const authorityHash = 'ab'.repeat(32)

test('parseJoinToken() reads what formatJoinToken() writes', () => {
  assert.deepEqual(parseJoinToken(`${formatJoinToken({ bearer, authorityHash })}\n`), { bearer, authorityHash })
})

test('parseJoinToken() says what is wrong and never repeats the secret', () => {
  const wrong = [bearer, `${bearer}.sha256-abc`, `${bearer}.${authorityHash}`, 'K10abc::server:x', '']
  for (const text of wrong) {
    assert.throws(
      () => parseJoinToken(text),
      ({ message }: Error) => message.startsWith('Cannot use the token: ') && !message.includes(token.secret),
    )
  }
  assert.throws(() => parseJoinToken(bearer), /lacks the part that proves the server/)
})
