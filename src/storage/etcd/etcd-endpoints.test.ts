import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEtcdServers } from './etcd-endpoints.ts'

test('servers become addresses, each once, with the port that etcd uses', () => {
  assert.deepEqual(parseEtcdServers(['http://127.0.0.1:2379', 'http://b.example', 'http://127.0.0.1:2379/']), {
    addresses: ['127.0.0.1:2379', 'b.example:2379'],
    isSecure: false,
  })
  assert.deepEqual(parseEtcdServers(['https://[::1]:12379']), { addresses: ['[::1]:12379'], isSecure: true })
})

for (const [servers, complaint] of [
  [[], /At least one/],
  [['127.0.0.1:2379'], /"127.0.0.1:2379"/],
  [['unix:///run/etcd'], /expected a URL/],
  [['http://a/v3'], /expected a URL/],
  [['http://a', 'https://b'], /same scheme/],
] as const) {
  test(`refused: ${servers.join(' ') || 'none'}`, () => {
    assert.throws(() => parseEtcdServers(servers), complaint)
  })
}

test('credentials in a URL are refused and not repeated', () => {
  assert.throws(
    () => parseEtcdServers(['http://root:open-sesame@a:2379']),
    (error: Error) => /credentials/.test(error.message) && !error.message.includes('sesame'),
  )
})
