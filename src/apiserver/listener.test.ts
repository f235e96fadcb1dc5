import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import type { Decision } from './authz/authorizer.ts'
import { peerIdentity } from './authn/peer-certificate.ts'
import { loadOrCreatePki } from './certificates/pki.ts'
import { listen, type Listener } from './listener.ts'
import type { AuthorizationAttributes } from './request-info.ts'
import { configMap, testServer, type TestServer } from './server.case.ts'
import type { UpgradeRequest } from './upgrade.ts'

const pki = loadOrCreatePki(undefined, { clock: systemClock, random: systemRandom, names: [], ips: [] })
const upgrades: string[] = []
const users: string[] = []
let testing: TestServer
let listener: Listener

before(async () => {
  const authorizer = {
    name: 'all',
    authorize({ user }: AuthorizationAttributes): Decision {
      users.push(user.name)
      return { decision: 'allow', reason: '' }
    },
  }
  testing = await testServer({ authorizers: () => [authorizer] })
  listener = await listen({
    server: testing.server,
    host: '127.0.0.1',
    port: 0,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    clientCa: pki.ca.certificate,
    peerIdentity: peerIdentity(systemClock),
    log: silentLog,
    upgrade: async ({ info, user, socket }: UpgradeRequest) => {
      upgrades.push(`${user.name} ${info.subresource}`)
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    },
  })
  await testing.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
})

after(async () => {
  await listener.close()
  await testing.close()
})

interface Sent {
  readonly method?: string
  readonly path: string
  readonly body?: string
  readonly headers?: Record<string, string>
  readonly anonymous?: boolean
}

function open({ method = 'GET', path, body, headers = {}, anonymous = false }: Sent): Promise<IncomingMessage> {
  const credentials = anonymous ? {} : { cert: pki.admin.certificate, key: pki.admin.key }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: listener.port, ca: pki.ca.certificate, agent: false, ...credentials }
    const outgoing = httpsRequest({ ...target, method, path, headers: { ...type, ...headers } }, resolve)
    outgoing.on('upgrade', resolve).on('error', reject).end(body)
  })
}

async function send(
  sent: Sent,
): Promise<{ code: number | undefined; text: string; headers: IncomingMessage['headers'] }> {
  const response = await open(sent)
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { code: response.statusCode, text, headers: response.headers }
}

const maps = '/api/v1/namespaces/default/configmaps'

test('HTTP/1.1: what is posted comes back, item bytes and all', async () => {
  const created = await send({
    method: 'POST',
    path: maps,
    body: JSON.stringify(configMap('h1', { data: { k: 'ü' } })),
  })
  assert.equal(created.code, 201)
  const read = await send({ path: `${maps}/h1` })
  assert.equal(read.text, created.text)
  const { items } = JSON.parse((await send({ path: `${maps}?fieldSelector=metadata.name=h1` })).text) as {
    items: object[]
  }
  const { kind: _kind, apiVersion: _version, ...rest } = JSON.parse(read.text) as Record<string, unknown>
  assert.deepEqual(items, [rest])
})

test('the certificate names the user; without one a client is anonymous', async () => {
  users.length = 0
  await send({ path: maps })
  await send({ path: maps, anonymous: true })
  assert.deepEqual(users, ['kubernetes-admin', 'system:anonymous'])
})

test('HTTP/2 shares the port', async () => {
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca: pki.ca.certificate })
  const stream = session.request({ ':path': '/version' })
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk
  assert.equal((JSON.parse(text) as { minor: string }).minor, '36')
  session.close()
})

test('a watch is a line of JSON for each event, and ends when the client goes', async () => {
  const response = await open({ path: `${maps}?watch=1&fieldSelector=metadata.name=w` })
  await testing.call(`POST ${maps}`, { body: configMap('w') })
  const [line] = (await once(response, 'data')) as [Buffer]
  const event = JSON.parse(line.toString()) as { type: string; object: { metadata: { name: string } } }
  assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', 'w'])
  response.destroy()
})

test('a body above the limit is refused with 413', async () => {
  const { code, text } = await send({ method: 'POST', path: maps, body: 'x'.repeat(3 * 1024 * 1024 + 1) })
  assert.deepEqual([code, (JSON.parse(text) as { reason: string }).reason], [413, 'RequestEntityTooLarge'])
})

const askers: readonly (readonly [query: string, agent: string, isPretty: boolean])[] = [
  ['', 'kubectl/v1.36.2', false],
  ['', 'curl/8.0', true],
  ['', 'Mozilla/5.0 (X11)', true],
  ['?pretty=false', 'curl/8.0', false],
  ['?pretty=maybe', 'curl/8.0', false],
  ['?pretty=1', 'kubectl/v1.36.2', true],
  ['?pretty', 'kubectl/v1.36.2', false],
]

for (const [query, agent, isPretty] of askers) {
  test(`${agent} that asks with ${query || 'nothing'} gets ${isPretty ? 'indented' : 'plain'} JSON`, async () => {
    const { text } = await send({ path: `${maps}/none${query}`, headers: { 'user-agent': agent } })
    assert.equal(text.startsWith('{\n  "kind": "Status",\n'), isPretty, text)
  })
}

test('large answers are compressed for who takes that', async () => {
  await testing.call(`POST ${maps}`, { body: configMap('large', { data: { k: 'x'.repeat(200_000) } }) })
  const { headers, text } = await send({ path: `${maps}/large`, headers: { 'accept-encoding': 'gzip' } })
  assert.equal(headers['content-encoding'], 'gzip')
  assert.ok(text.length < 10_000)
})

test('an upgrade passes authentication and authorization first', async () => {
  const headers = { connection: 'Upgrade', upgrade: 'x' }
  const response = await open({ path: '/api/v1/namespaces/default/pods/p/exec', headers })
  assert.equal(response.statusCode, 101)
  assert.deepEqual(upgrades, ['kubernetes-admin exec'])
  response.destroy()
})

test('a method that no parser knows is a 405', async () => {
  const { code, text } = await new Promise<{ code: number; text: string }>((resolve, reject) => {
    void import('node:tls').then(({ connect }) => {
      const socket = connect({
        host: '127.0.0.1',
        port: listener.port,
        ca: pki.ca.certificate,
        ALPNProtocols: ['http/1.1'],
      })
      let text = ''
      socket
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('error', reject)
      socket.on('end', () => resolve({ code: Number(text.split(' ')[1]), text }))
      socket.write('FOO /api/v1/pods HTTP/1.1\r\nHost: x\r\n\r\n')
    })
  })
  assert.equal(code, 405, text)
})
