import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RawRequest } from '#client/client.ts'
import { createClient } from '#client/create-client.ts'
import { seededRandom } from '#lib/random.ts'
import { StatusError } from '#api/meta/status.ts'
import { tokenTable } from './token-table.ts'
import { createToken, deleteToken } from './tokens.ts'

function recordingClient(requests: RawRequest[], answer: () => unknown = () => ({})) {
  const request = async (sent: RawRequest): Promise<unknown> => {
    requests.push(sent)
    return answer()
  }
  const unused = (): never => {
    throw new Error('not used')
  }
  return createClient({ request, watch: unused, as: unused })
}

test('createToken() stores the token it answers', async () => {
  const requests: RawRequest[] = []
  const options = { description: '', extraGroups: [] }
  const token = await createToken(recordingClient(requests), seededRandom(1), options)
  assert.match(token, /^[a-z0-9]{6}\.[a-z0-9]{16}$/)
  const { path, body } = requests[0] as RawRequest
  assert.equal(path, '/api/v1/namespaces/kube-system/secrets')
  const { metadata, data } = body as { metadata: { name: string }; data: Record<string, string> }
  const [id, secret] = token.split('.')
  assert.equal(metadata.name, `bootstrap-token-${id}`)
  assert.equal(Buffer.from(data['token-secret'] ?? '', 'base64').toString(), secret)
})

test('deleteToken() takes an id or a whole token', async () => {
  const requests: RawRequest[] = []
  const client = recordingClient(requests)
  await deleteToken(client, 'abcdef')
  await deleteToken(client, 'abcdef.0123456789abcdef')
  const path = '/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef'
  assert.deepEqual(
    requests.map((request) => request.path),
    [path, path],
  )
})

test('deleteToken() says plainly what is wrong', async () => {
  const absent = recordingClient([], () => {
    throw new StatusError('NotFound', 'secrets "bootstrap-token-abcdef" not found')
  })
  await assert.rejects(deleteToken(absent, 'abcdef'), { message: 'There is no token "abcdef"' })
  await assert.rejects(deleteToken(absent, '../x'), /is no token id/)
})

test('tokenTable() shows how long each token lasts', () => {
  const nowMs = Date.UTC(2026, 0, 1)
  const usages = ['authentication', 'signing']
  const base = { usages, description: '', extraGroups: [] }
  const table = tokenTable(
    [
      { ...base, id: 'aaaaaa', expiresAtMs: nowMs + 23 * 3_600_000, description: 'rack 3' },
      { ...base, id: 'bbbbbb', expiresAtMs: nowMs - 1_000 },
      { ...base, id: 'cccccc', expiresAtMs: undefined, extraGroups: ['system:bootstrappers:x'] },
    ],
    nowMs,
  )
  assert.equal(
    table,
    `TOKEN    TTL         EXPIRES                USAGES                   DESCRIPTION   EXTRA GROUPS
aaaaaa   23h         2026-01-01T23:00:00Z   authentication,signing   rack 3        <none>
bbbbbb   <expired>   2025-12-31T23:59:59Z   authentication,signing   <none>        <none>
cccccc   <forever>   <never>                authentication,signing   <none>        system:bootstrappers:x
`,
  )
})
