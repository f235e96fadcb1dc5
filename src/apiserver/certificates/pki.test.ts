import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, createServer } from 'node:tls'
import { load } from 'js-yaml'
import { manualClock, systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { kubeconfig, writeKubeconfig } from './kubeconfig.ts'
import { loadOrCreatePki, type PkiOptions } from './pki.ts'

const options: PkiOptions = { clock: systemClock, random: systemRandom, names: ['alpha'], ips: ['192.0.2.7'] }

function inDirectory(body: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'pki-'))
  try {
    body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('a second start uses what the first made, all of it private', () => {
  inDirectory((directory) => {
    const first = loadOrCreatePki(directory, options)
    const node = first.node('alpha')
    const second = loadOrCreatePki(directory, options)
    assert.deepEqual([second.ca, second.serving, second.admin], [first.ca, first.serving, first.admin])
    assert.equal(second.serviceAccountKey.privateKey, first.serviceAccountKey.privateKey)
    assert.deepEqual(second.node('alpha'), node)
    assert.equal(statSync(join(directory, 'pki')).mode & 0o777, 0o700)
    for (const name of readdirSync(join(directory, 'pki'))) {
      assert.equal(statSync(join(directory, 'pki', name)).mode & 0o777, 0o600, name)
      assert.doesNotMatch(name, /\.new$/)
    }
  })
})

test('a leaf is made anew when a name is missing, when damaged, and near its end', () => {
  inDirectory((directory) => {
    const clock = manualClock()
    const first = loadOrCreatePki(directory, { ...options, clock })
    const wider = loadOrCreatePki(directory, { ...options, clock, ips: ['192.0.2.8'] })
    assert.notEqual(wider.serving.certificate, first.serving.certificate)
    assert.equal(wider.admin.certificate, first.admin.certificate)
    writeFileSync(join(directory, 'pki', 'admin.pem'), 'torn')
    assert.notEqual(loadOrCreatePki(directory, { ...options, clock }).admin.certificate, first.admin.certificate)
    const later = manualClock(first.renewAtMs + 1000)
    const renewed = loadOrCreatePki(directory, { ...options, clock: later })
    assert.notEqual(renewed.kubeletClient.certificate, first.kubeletClient.certificate)
    assert.equal(renewed.ca.certificate, first.ca.certificate)
  })
})

test('a damaged authority or token key is an error that names the file', () => {
  for (const name of ['ca.pem', 'service-account.key']) {
    inDirectory((directory) => {
      loadOrCreatePki(directory, options)
      writeFileSync(join(directory, 'pki', name), 'torn')
      assert.throws(() => loadOrCreatePki(directory, options), new RegExp(name.replace('.', '\\.')))
    })
  }
})

test('a leftover of a killed first start does no harm', () => {
  inDirectory((directory) => {
    loadOrCreatePki(directory, options)
    rmSync(join(directory, 'pki', 'apiserver.pem'))
    writeFileSync(join(directory, 'pki', 'apiserver.pem.new'), 'half')
    loadOrCreatePki(directory, options)
    assert.equal(readdirSync(join(directory, 'pki')).includes('apiserver.pem.new'), false)
  })
})

test('an unusable directory is one clear message', () => {
  inDirectory((directory) => {
    writeFileSync(join(directory, 'file'), '')
    assert.throws(
      () => loadOrCreatePki(join(directory, 'file'), options),
      /Cannot create the directory .*file\/pki for certificates: a file is in the way/,
    )
    if (process.getuid?.() === 0) return
    chmodSync(directory, 0o500)
    assert.throws(() => loadOrCreatePki(directory, options), /permission denied/)
    chmodSync(directory, 0o700)
  })
})

test('node names cannot leave the directory', () => {
  const pki = loadOrCreatePki(undefined, options)
  assert.throws(() => pki.node('../etc'), RangeError)
})

test('the certificates work over TLS in both directions', async () => {
  const pki = loadOrCreatePki(undefined, options)
  const server = createServer({
    cert: pki.serving.certificate,
    key: pki.serving.key,
    ca: pki.ca.certificate,
    requestCert: true,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'secureConnection')
  const { certificate: cert, key } = pki.node('alpha')
  const port = (server.address() as AddressInfo).port
  const socket = connect({ host: '127.0.0.1', port, ca: pki.ca.certificate, cert, key })
  await once(socket, 'secureConnect')
  const [peer] = (await accepted) as [import('node:tls').TLSSocket]
  assert.equal(peer.authorized, true)
  assert.deepEqual({ ...peer.getPeerCertificate().subject }, { O: 'system:nodes', CN: 'system:node:alpha' })
  socket.destroy()
  peer.destroy()
  server.close()
  const names = new X509Certificate(pki.serving.certificate)
  for (const host of ['localhost', 'kubernetes.default.svc', 'alpha']) assert.equal(names.checkHost(host), host)
  for (const ip of ['127.0.0.1', '10.96.0.1', '192.0.2.7']) assert.equal(names.checkIP(ip), ip)
})

test('a kubeconfig is YAML with everything embedded, mode 0600', () => {
  const pki = loadOrCreatePki(undefined, options)
  const settings = { server: 'https://127.0.0.1:6443', caCertificate: pki.ca.certificate, client: pki.admin }
  const parsed = load(kubeconfig(settings)) as { users: { user: Record<string, string> }[]; 'current-context': string }
  assert.equal(parsed['current-context'], 'coracle')
  const embedded = parsed.users[0]?.user['client-certificate-data'] ?? ''
  assert.equal(Buffer.from(embedded, 'base64').toString(), pki.admin.certificate)
  inDirectory((directory) => {
    writeKubeconfig(join(directory, 'config'), settings)
    assert.equal(statSync(join(directory, 'config')).mode & 0o777, 0o600)
    assert.equal(readFileSync(join(directory, 'config'), 'utf8'), kubeconfig(settings))
  })
})
