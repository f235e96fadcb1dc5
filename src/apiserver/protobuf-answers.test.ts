import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { peerIdentity } from './authn/peer-certificate.ts'
import { loadOrCreatePki } from './certificates/pki.ts'
import { listen, type Listener } from './listener.ts'
import { configMap, testServer, type TestServer } from './server.case.ts'

const pki = loadOrCreatePki(undefined, { clock: systemClock, random: systemRandom, names: [], ips: [] })
const protobuf = 'application/vnd.kubernetes.protobuf'
const maps = '/api/v1/namespaces/default/configmaps'
let testing: TestServer
let listener: Listener

before(async () => {
  testing = await testServer({})
  listener = await listen({
    server: testing.server,
    host: '127.0.0.1',
    port: 0,
    certificate: pki.serving.certificate,
    key: pki.serving.key,
    clientCa: pki.ca.certificate,
    peerIdentity: peerIdentity(systemClock),
    log: silentLog,
  })
  await testing.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
})

after(async () => {
  await listener.close()
  await testing.close()
})

function open(method: string, path: string, headers: Record<string, string>, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port: listener.port, ca: pki.ca.certificate, agent: false }
    httpsRequest({ ...target, method, path, headers }, resolve)
      .on('error', reject)
      .end(body)
  })
}

interface Answer {
  readonly code: number | undefined
  readonly type: string | undefined
  readonly bytes: Buffer
}

async function send(method: string, path: string, accept: string, body?: Buffer): Promise<Answer> {
  const type = body === undefined ? {} : { 'content-type': protobuf }
  const response = await open(method, path, { accept, ...type }, body)
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return { code: response.statusCode, type: response.headers['content-type'], bytes: Buffer.concat(chunks) }
}

interface Decoded {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly resourceVersion: string }
  readonly code?: number
}

const decode = (bytes: Buffer): Decoded => kubernetesProtobuf().decode(bytes) as unknown as Decoded

test('create, get and list speak protobuf both ways; a list is what it would be if encoded as a whole', async () => {
  const accept = `${protobuf},application/json`
  for (const name of ['a', 'b']) {
    const body = kubernetesProtobuf().encode(configMap(name, { data: { k: 'ü'.repeat(name === 'a' ? 1 : 20_000) } }))
    const created = await send('POST', maps, accept, body)
    assert.deepEqual([created.code, created.type], [201, protobuf])
    const read = await send('GET', `${maps}/${name}`, accept)
    assert.deepEqual(read.bytes, created.bytes)
    assert.deepEqual([decode(read.bytes).kind, decode(read.bytes).metadata.name], ['ConfigMap', name])
  }
  const list = await send('GET', maps, accept)
  const plain = JSON.parse((await send('GET', maps, 'application/json')).bytes.toString()) as object
  assert.equal(list.type, protobuf)
  assert.deepEqual(list.bytes, kubernetesProtobuf().encode(plain))
  const missing = await send('GET', `${maps}/none`, accept)
  assert.deepEqual([missing.code, missing.type, decode(missing.bytes).code], [404, protobuf, 404])
})

test('a watch is frames, each with its length before it and an envelope inside', async () => {
  const response = await open('GET', `${maps}?watch=1&fieldSelector=metadata.name=w`, { accept: protobuf })
  assert.equal(response.headers['content-type'], `${protobuf};stream=watch`)
  await testing.call(`POST ${maps}`, { body: configMap('w') })
  const [frame] = (await once(response, 'data')) as [Buffer]
  response.destroy()
  const event = frame.subarray(4)
  assert.equal(frame.readUInt32BE(), event.length)
  assert.ok(event.subarray(0, 7).equals(Buffer.from('\n\x05ADDED', 'latin1')))
  // RawExtension.raw inside WatchEvent.object: the envelope runs to the end.
  const object = decode(event.subarray(event.indexOf('k8s\0')))
  assert.deepEqual([object.kind, object.metadata.name], ['ConfigMap', 'w'])
})

const choices: readonly (readonly [accept: string, code: number, type: string])[] = [
  [`application/json;q=0.5, ${protobuf}`, 200, protobuf],
  [`${protobuf};q=0.1, application/yaml;q=0.2`, 200, 'application/yaml'],
  [`text/html, ${protobuf}`, 200, protobuf],
  ['text/html, */*;q=0.1', 200, 'application/json'],
  ['text/html', 406, 'application/json'],
]

for (const [accept, code, type] of choices) {
  test(`Accept: ${accept} gets ${code} ${type}`, async () => {
    const answer = await send('GET', maps, accept)
    assert.deepEqual([answer.code, answer.type], [code, type])
  })
}
