import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { manualClock, systemClock, type Clock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { loadOrCreatePki } from '../certificates/pki.ts'
import { peerIdentity, type ProxiedPeers } from './peer-certificate.ts'

const tools = { clock: systemClock, random: systemRandom, names: [], ips: [] }
const pki = loadOrCreatePki(undefined, tools)

interface Judged {
  readonly clock?: Clock
  readonly proxied?: ProxiedPeers
  readonly headers?: readonly string[]
}

async function identityOf(
  client: ConnectionOptions,
  { clock = systemClock, proxied, headers = [] }: Judged = {},
): Promise<() => unknown> {
  const { certificate: cert, key } = pki.serving
  const server = createServer({
    cert,
    key,
    ca: [pki.ca.certificate, pki.frontProxy.authority.certificate],
    requestCert: true,
    rejectUnauthorized: false,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'secureConnection')
  const socket = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    ca: pki.ca.certificate,
    ...client,
  })
  await once(socket, 'secureConnect')
  const [peer] = (await accepted) as [TLSSocket]
  const identify = peerIdentity(clock, proxied)
  return () => {
    try {
      return identify(peer, headers)
    } finally {
      socket.destroy()
      peer.destroy()
      server.close()
    }
  }
}

test('no certificate is no identity', async () => {
  assert.equal((await identityOf({}))(), undefined)
})

test('a client certificate of the cluster is its subject', async () => {
  const identify = await identityOf({ cert: pki.admin.certificate, key: pki.admin.key })
  assert.equal((identify() as { name: string }).name, 'kubernetes-admin')
})

test('a certificate of another authority, for servers only, or expired since is refused', async () => {
  const other = loadOrCreatePki(undefined, tools)
  const refused = { reason: 'Unauthorized' }
  assert.throws(await identityOf({ cert: other.admin.certificate, key: other.admin.key }), refused)
  assert.throws(await identityOf({ cert: pki.serving.certificate, key: pki.serving.key }), refused)
  const later = manualClock(systemClock.now() + 366 * 86_400_000)
  assert.throws(await identityOf({ cert: pki.admin.certificate, key: pki.admin.key }, { clock: later }), refused)
})

const trust = {
  ca: pki.frontProxy.authority.certificate,
  allowedNames: ['front-proxy-client'],
  usernameHeaders: ['X-Remote-User', 'X-Other-User'],
  uidHeaders: ['X-Remote-Uid'],
  groupHeaders: ['X-Remote-Group'],
  extraPrefixes: ['X-Remote-Extra-'],
}
const proxied = { clientCa: pki.ca.certificate, trust }
const proxy = { cert: pki.frontProxy.client.certificate, key: pki.frontProxy.client.key }
const headers = [
  ...['x-remote-user', 'alice', 'X-Remote-Group', 'devs', 'X-Remote-Group', 'admins', 'X-Remote-Uid', '7'],
  ...['X-Remote-Extra-Acme.com%2fScope', 'one', 'x-remote-extra-acme.com%2Fscope', 'two', 'X-Forwarded-For', 'x'],
]

test('a proxy speaks for the user that its headers name', async () => {
  assert.deepEqual((await identityOf(proxy, { proxied, headers }))(), {
    name: 'alice',
    groups: ['devs', 'admins'],
    uid: '7',
    extra: { 'acme.com/scope': ['one', 'two'] },
  })
  const second = await identityOf(proxy, { proxied, headers: ['X-Remote-User', '', 'X-Other-User', 'bob'] })
  assert.deepEqual(second(), { name: 'bob', groups: [] })
})

test('nobody else speaks for others, and a proxy is nobody by itself', async () => {
  const refused = { reason: 'Unauthorized' }
  const admin = { cert: pki.admin.certificate, key: pki.admin.key }
  const asAdmin = await identityOf(admin, { proxied, headers })
  assert.equal((asAdmin() as { name: string }).name, 'kubernetes-admin')
  assert.throws(await identityOf(proxy, { proxied }), refused)
  const others = { ...proxied, trust: { ...trust, allowedNames: ['somebody-else'] } }
  assert.throws(await identityOf(proxy, { proxied: others, headers }), refused)
  const anyName = { ...proxied, trust: { ...trust, allowedNames: [] } }
  assert.equal(((await identityOf(proxy, { proxied: anyName, headers }))() as { name: string }).name, 'alice')
})
