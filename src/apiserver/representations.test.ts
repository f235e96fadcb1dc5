/**
 * Goal: an object is the same in every form on its way through the server. Method: the least valid object of each kind is
 * created as JSON, read as protobuf and YAML, and written back as both over a real socket: nothing changes, so the
 * server keeps its revision.
 */
import assert from 'node:assert/strict'
import { Agent, request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { samples } from '#api/kind-samples.case.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'
import { builtInCatalog } from '#api/schema/catalog.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { systemRandom } from '#lib/random.ts'
import { parseYaml } from '#lib/yaml.ts'
import { peerIdentity } from './authn/peer-certificate.ts'
import { loadOrCreatePki } from './certificates/pki.ts'
import { listen, type Listener } from './listener.ts'
import { testServer, type TestServer } from './server.case.ts'

const json = 'application/json'
const yaml = 'application/yaml'
const protobuf = 'application/vnd.kubernetes.protobuf'
const pki = loadOrCreatePki(undefined, { clock: systemClock, random: systemRandom, names: [], ips: [] })
const agent = new Agent({ keepAlive: true })
let testing: TestServer
let listener: Listener

before(async () => {
  testing = await testServer()
  const { certificate, key } = pki.serving
  const place = { host: '127.0.0.1', port: 0, certificate, key, clientCa: pki.ca.certificate }
  listener = await listen({ server: testing.server, ...place, peerIdentity: peerIdentity(systemClock), log: silentLog })
  for (const name of ['default', 'ns']) await testing.call('POST /api/v1/namespaces', { body: { metadata: { name } } })
})

after(async () => {
  agent.destroy()
  await listener.close()
  await testing.close()
})

interface Message {
  readonly accept: string
  readonly type?: string
  readonly body?: Buffer | string
}

/** The bytes of an answer that must have the given code and the type asked for. */
async function ask(line: string, code: number, { accept, type, body }: Message): Promise<Buffer> {
  const [method = '', path = ''] = line.split(' ')
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const { cert, key } = { cert: pki.admin.certificate, key: pki.admin.key }
  const target = { host: '127.0.0.1', port: listener.port, ca: pki.ca.certificate, cert, key, agent, method, path }
  const headers = { accept, ...(type !== undefined && { 'content-type': type }) }
  const request = httpsRequest({ ...target, headers }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => {
      const bytes = Buffer.concat(chunks)
      if (response.statusCode === code && response.headers['content-type'] === accept) return resolve(bytes)
      reject(new Error(`${line}: ${response.statusCode} ${response.headers['content-type']} ${bytes.toString()}`))
    })
  })
  request.on('error', reject).end(body)
  return promise
}

/** Protobuf cannot tell an empty list or a time that is not set from nothing, which JSON writes as null. */
function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_name, member: unknown) => (member === null ? undefined : member)))
}

/** Where the least says nothing that protobuf could carry. */
const fuller: Readonly<Record<string, object>> = { CSINode: { spec: { drivers: [{ name: 'd', nodeID: 'n' }] } } }

const needed = ['create', 'get', 'list', 'update']

for (const row of builtInCatalog().resources) {
  const { group, version, plural, kind, namespaced } = row
  if (!needed.every((verb) => row.verbs.has(verb))) continue
  test(`${plural} of ${group || 'core'}/${version} are the same in JSON, YAML and protobuf`, async () => {
    const sample = (fuller[kind] ?? samples[kind] ?? {}) as Partial<KubernetesObject>
    const name = sample.metadata?.name ?? `least-${version}-${group.length}`
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const collection = namespaced ? `${root}/namespaces/ns/${plural}` : `${root}/${plural}`
    const target = `${collection}/${name}`
    const body = JSON.stringify({ ...sample, metadata: { ...sample.metadata, name } })
    await ask(`POST ${collection}`, 201, { accept: json, type: json, body })
    const asJson = await ask(`GET ${target}`, 200, { accept: json })
    const object = JSON.parse(asJson.toString()) as KubernetesObject
    const asYaml = await ask(`GET ${target}`, 200, { accept: yaml })
    assert.deepEqual(parseYaml(asYaml.toString()).value, object)
    const asProtobuf = await ask(`GET ${target}`, 200, { accept: protobuf })
    assert.deepEqual(kubernetesProtobuf().decode(asProtobuf), withoutNulls(object))
    const written = await ask(`PUT ${target}`, 200, { accept: protobuf, type: protobuf, body: asProtobuf })
    assert.deepEqual(written, asProtobuf)
    assert.deepEqual(await ask(`PUT ${target}`, 200, { accept: yaml, type: yaml, body: asYaml }), asYaml)
    assert.deepEqual(await ask(`PUT ${target}`, 200, { accept: json, type: json, body: asJson }), asJson)
    const list = kubernetesProtobuf().decode(await ask(`GET ${collection}`, 200, { accept: protobuf }))
    const { items } = JSON.parse((await ask(`GET ${collection}`, 200, { accept: json })).toString()) as typeof list
    assert.deepEqual(list['items'], withoutNulls(items))
  })
}
