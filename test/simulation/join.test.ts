/** Goal: a machine becomes a member of a cluster over TLS, and nothing but a right token gets it there. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { formatJoinToken, parseJoinToken } from '#api/core/v1/join-token.ts'
import { isStatusError } from '#api/meta/status.ts'
import { nodes, secrets } from '#api/types/resources.ts'
import { createToken, deleteToken } from '#cli/token/tokens.ts'
import type { Client } from '#client/client.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { publicKeyHash } from '#lib/x509/public-key-hash.ts'
import { startControlPlane, type ControlPlane } from '#main/control-plane.ts'
import { startManagers, type Managers } from '#main/managers.ts'
import { joinAsNode, type NodeMembership } from '#main/node-membership.ts'

const effects = { clock: systemClock, random: systemRandom, log: silentLog }
const folder = mkdtempSync(join(tmpdir(), 'coracle-join-'))

let controlPlane: ControlPlane
let managers: Managers
let admin: Client
let bearer: string

before(async () => {
  const place = { bindAddress: '127.0.0.1', port: 0, advertiseAddress: '127.0.0.1' }
  controlPlane = await startControlPlane({ dataDir: join(folder, 'server'), storage: 'memory', ...place }, effects)
  managers = startManagers(controlPlane, effects)
  admin = controlPlane.clientAs({ name: 'admin', groups: ['system:masters'] })
  bearer = await createToken(admin, systemRandom, { description: '', extraGroups: [] })
})

after(async () => {
  await managers.stop()
  await controlPlane.close()
  rmSync(folder, { recursive: true })
})

const authorityHash = (): string => publicKeyHash(controlPlane.pki.ca.certificate)

function member(nodeName: string, token: string | undefined, machine = nodeName): Promise<NodeMembership> {
  return joinAsNode({
    server: `https://127.0.0.1:${controlPlane.port}`,
    token: token === undefined ? undefined : parseJoinToken(token),
    nodeName,
    address: '192.0.2.7',
    dataDir: join(folder, machine),
    effects,
  })
}

const goodToken = (): string => formatJoinToken({ bearer, authorityHash: authorityHash() })

test('a machine joins, gets its certificates, and comes back without its token', async () => {
  const first = await member('n1', goodToken())
  await first.client.resource(nodes).create({
    metadata: { name: 'n1' },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address: '192.0.2.7' }] },
  })
  const served = Promise.withResolvers<X509Certificate>()
  first.serving.listen(({ certificate }) => served.resolve(new X509Certificate(certificate)))
  first.start()
  const certificate = await served.promise
  assert.deepEqual([certificate.checkIP('192.0.2.7'), certificate.checkHost('n1')], ['192.0.2.7', 'n1'])
  assert.ok(certificate.verify(new X509Certificate(first.authority).publicKey))
  await first.stop()

  const again = await member('n1', undefined)
  assert.equal((await again.client.resource(nodes).get('n1')).metadata.name, 'n1')
  assert.equal(again.serving.current === undefined, false)
  await assert.rejects(again.client.resource(secrets, 'kube-system').list(), (error) =>
    isStatusError(error, 'Forbidden'),
  )
  await again.stop()
  await assert.rejects(member('n2', undefined, 'n1'), /^Error: This machine has joined as node "n1"/)
  const other = formatJoinToken({ bearer, authorityHash: 'ab'.repeat(32) })
  await assert.rejects(member('n1', other), /^Error: This machine has joined another cluster than the one of the token/)
})

test('keys are readable by their owner alone', async () => {
  const pki = join(folder, 'n1', 'pki')
  const files = readdirSync(pki)
  assert.deepEqual(new Set(files), new Set(['ca.crt', 'kubelet-client.pem', 'kubelet-serving.pem']))
  for (const file of files) assert.equal(statSync(join(pki, file)).mode & 0o777, 0o600)
})

const refusals: readonly [what: string, token: () => Promise<string>, message: RegExp][] = [
  [
    'a wrong secret',
    async () => goodToken().replace(/\.\w{16}\./, '.0123456789abcdef.'),
    /The server does not accept the token: it is wrong, or has expired/,
  ],
  [
    'an expired token',
    async () => {
      const options = { description: '', extraGroups: [], expiresAtMs: systemClock.now() - 1_000 }
      const expired = await createToken(admin, systemRandom, options)
      return formatJoinToken({ bearer: expired, authorityHash: authorityHash() })
    },
    /The server does not accept the token: it is wrong, or has expired/,
  ],
  [
    'a deleted token',
    async () => {
      const gone = await createToken(admin, systemRandom, { description: '', extraGroups: [] })
      await deleteToken(admin, gone)
      return formatJoinToken({ bearer: gone, authorityHash: authorityHash() })
    },
    /The server does not accept the token: it is wrong, or has expired/,
  ],
  [
    'the token of another cluster',
    async () => formatJoinToken({ bearer, authorityHash: 'ab'.repeat(32) }),
    /is not the one the token was made for/,
  ],
]

for (const [what, token, message] of refusals) {
  test(`${what} does not make a member`, async () => {
    await assert.rejects(member('n3', await token()), message)
    assert.deepEqual(readdirSync(join(folder, 'n3', 'pki')), [])
  })
}

test('a name that a ready node has elsewhere is refused', async () => {
  const conditions = [{ type: 'Ready', status: 'True' as const }]
  const addresses = [{ type: 'InternalIP' as const, address: '192.0.2.9' }]
  const node = await admin.resource(nodes).create({ metadata: { name: 'taken' }, spec: {} })
  await admin.resource(nodes).updateStatus({ ...node, status: { conditions, addresses } })
  await assert.rejects(
    member('taken', goodToken()),
    /already has a node "taken", at 192\.0\.2\.9\. Choose another name/,
  )
})

test('a server that is not there is said in one line', async () => {
  const absent = joinAsNode({
    server: 'https://127.0.0.1:1',
    token: parseJoinToken(goodToken()),
    nodeName: 'n4',
    address: '192.0.2.8',
    dataDir: join(folder, 'n4'),
    effects,
  })
  await assert.rejects(absent, { message: /^Cannot reach https:\/\/127\.0\.0\.1:1: connect ECONNREFUSED[^\n]*$/ })
})
