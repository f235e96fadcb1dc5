import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, createServer, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { manualClock, systemClock, type Clock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { loadOrCreatePki } from '../certificates/pki.ts'
import { peerIdentity } from './peer-certificate.ts'

const tools = { clock: systemClock, random: systemRandom, names: [], ips: [] }
const pki = loadOrCreatePki(undefined, tools)

async function identityOf(client: ConnectionOptions, clock: Clock = systemClock): Promise<() => unknown> {
  const { certificate: cert, key } = pki.serving
  const server = createServer({ cert, key, ca: pki.ca.certificate, requestCert: true, rejectUnauthorized: false })
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
  const identify = peerIdentity(clock)
  return () => {
    try {
      return identify(peer)
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
  assert.throws(await identityOf({ cert: pki.admin.certificate, key: pki.admin.key }, later), refused)
})
