import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { testServer, type TestAnswer, type TestServer } from '#apiserver/server.case.ts'
import { behaviour } from '../conformance/behaviour.ts'

const area = 'apimachinery/field_validation'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const tabs = '/apis/f.example/v1/namespaces/default/tabs'
const deployments = '/apis/apps/v1/namespaces/default/deployments'

async function cluster(t: TestContext, openAPIV3Schema?: object): Promise<TestServer> {
  const server = await testServer()
  t.after(() => server.close())
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  if (openAPIV3Schema === undefined) return server
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }]
  const spec = { group: 'f.example', scope: 'Namespaced', names: { plural: 'tabs', kind: 'Tab' }, versions }
  const watch = await server.watch(definitions)
  const made = await server.call(`POST ${definitions}`, { body: { metadata: { name: 'tabs.f.example' }, spec } })
  assert.equal(made.code, 201, made.object.message)
  while ((await server.call(`GET ${tabs}`)).code !== 200) await watch.take(1)
  watch.stop()
  return server
}

const strict = { query: 'fieldValidation=Strict' }

/** Sends the very text: duplicates are lost in an object. */
function post(server: TestServer, path: string, text: string): Promise<TestAnswer> {
  return server.call(`POST ${path}`, { body: Buffer.from(text), ...strict })
}

function apply(server: TestServer, path: string, text: string): Promise<TestAnswer> {
  return server.call(`PATCH ${path}`, {
    body: Buffer.from(text),
    query: `${strict.query}&fieldManager=test`,
    headers: { 'content-type': 'application/apply-patch+yaml' },
  })
}

const tabText = (name: string, more: string, metadata = ''): string =>
  `{"apiVersion":"f.example/v1","kind":"Tab","metadata":{"name":"${name}"${metadata}}${more}}`

const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const closed = { type: 'object', properties: { spec: { type: 'object', properties: { n: { type: 'integer' } } } } }

behaviour(
  area,
  'FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema',
  async (t) => {
    const server = await cluster(t, free)
    assert.equal((await post(server, tabs, tabText('a', ',"spec":{"any":1}'))).code, 201)
    assert.equal((await apply(server, `${tabs}/b`, tabText('b', ',"spec":{"any":1}'))).code, 201)
  },
)

behaviour(area, 'FieldValidation should create/apply a valid CR for CRD with validation schema', async (t) => {
  const server = await cluster(t, closed)
  assert.equal((await post(server, tabs, tabText('a', ',"spec":{"n":1}'))).code, 201)
  assert.equal((await apply(server, `${tabs}/b`, tabText('b', ',"spec":{"n":1}'))).code, 201)
})

behaviour(
  area,
  'FieldValidation should create/apply an invalid CR with extra properties for CRD with validation schema',
  async (t) => {
    const server = await cluster(t, closed)
    const refused = await post(server, tabs, tabText('a', ',"spec":{"n":1,"extra":2}'))
    assert.deepEqual(
      [refused.code, /strict decoding error: unknown field "spec.extra"/.test(refused.object.message)],
      [400, true],
    )
    const applied = await apply(server, `${tabs}/b`, tabText('b', ',"spec":{"n":1,"extra":2}'))
    assert.ok(applied.code >= 400, 'an unknown field is not applied')
    assert.match(applied.object.message, /extra/)
  },
)

behaviour(area, 'FieldValidation should detect duplicates in a CR when preserving unknown fields', async (t) => {
  const server = await cluster(t, free)
  const refused = await post(server, tabs, tabText('a', ',"spec":{"any":1,"any":2}'))
  assert.deepEqual([refused.code, refused.object.message.includes('duplicate field "spec.any"')], [400, true])
})

const deploymentText = (more: string, metadata = ''): string =>
  `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"${metadata}},"spec":{"selector":{"matchLabels":{"a":"b"}},` +
  `"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}${more}}}`

behaviour(area, 'FieldValidation should detect unknown and duplicate fields of a typed object', async (t) => {
  const server = await cluster(t)
  const refused = await post(server, deployments, deploymentText(',"unknown":1,"replicas":1,"replicas":2'))
  assert.equal(refused.code, 400)
  assert.match(refused.object.message, /unknown field "spec.unknown"/)
  assert.match(refused.object.message, /duplicate field "spec.replicas"/)
})

behaviour(area, 'FieldValidation should detect unknown metadata fields of a typed object', async (t) => {
  const server = await cluster(t)
  const refused = await post(server, deployments, deploymentText('', ',"unknownMeta":"x"'))
  assert.deepEqual([refused.code, refused.object.message.includes('unknown field "metadata.unknownMeta"')], [400, true])
})

behaviour(
  area,
  'FieldValidation should detect unknown metadata fields in both the root and embedded object of a CR',
  async (t) => {
    const embedded = { ...free, 'x-kubernetes-embedded-resource': true }
    const server = await cluster(t, { type: 'object', properties: { inside: embedded } })
    const inside = '{"apiVersion":"a/v1","kind":"B","metadata":{"name":"x","unknownEmbedded":"y"}}'
    const refused = await post(server, tabs, tabText('a', `,"inside":${inside}`, ',"unknownMeta":"z"'))
    assert.equal(refused.code, 400)
    assert.match(refused.object.message, /unknown field "inside.metadata.unknownEmbedded"/)
    assert.match(refused.object.message, /unknown field "metadata.unknownMeta"/)
  },
)
