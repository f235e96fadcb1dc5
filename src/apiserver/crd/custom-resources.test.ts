import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testServer, type TestServer } from '../server.case.ts'

const path = '/apis/stable.example.com/v1/namespaces/default/crontabs'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

function definition(more: object = {}): object {
  const schema = {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: { size: { type: 'integer', default: 1, maximum: 9 }, name: { type: 'string' } },
      },
      status: { type: 'object', properties: { size: { type: 'integer' } } },
    },
  }
  const columns = [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }]
  const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          additionalPrinterColumns: columns,
          subresources: { status: {}, scale },
          selectableFields: [{ jsonPath: '.spec.name' }],
          ...more,
        },
      ],
    },
  }
}

/** Establishing takes two commits after the create; each is one turn of the in-memory store's watch. */
async function settled(until: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    if (await until()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.fail('the definition did not settle')
}

async function withDefinition(more: object = {}): Promise<TestServer> {
  const server = await testServer()
  assert.equal((await server.call(`POST ${definitions}`, { body: definition(more) })).code, 201)
  await settled(async () => (await server.call(`GET ${path}`)).code === 200)
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  return server
}

const tab = (name: string, spec: object): object => ({
  apiVersion: 'stable.example.com/v1',
  kind: 'CronTab',
  metadata: { name },
  spec,
})

test('a definition is served: defaults, pruning, validation, columns, scale, selectable fields', async () => {
  const server = await withDefinition()
  const made = await server.call(`POST ${path}`, { body: tab('a', { name: 'x', unknown: 1 }) })
  assert.deepEqual(made.object.spec, { size: 1, name: 'x' })
  assert.match(made.headers['warning'] ?? '', /unknown field/)
  const refused = await server.call(`POST ${path}`, { body: tab('b', { size: 10 }) })
  assert.match(refused.object.message, /spec.size in body should be less than or equal to 9/)
  const table = await server.call(`GET ${path}`, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  assert.deepEqual((table.object as unknown as { rows: { cells: unknown[] }[] }).rows[0]?.cells, ['a', 1])
  const scaled = await server.call(`PATCH ${path}/a/scale`, {
    body: { spec: { replicas: 4 } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  assert.deepEqual(scaled.object.spec, { replicas: 4 })
  assert.equal((await server.call(`GET ${path}/a`)).object.spec['size'], 4)
  const selected = await server.call(`GET ${path}`, { query: 'fieldSelector=spec.name%3Dx' })
  assert.equal(selected.object.items.length, 1)
  await server.close()
})

test('the status has an endpoint of its own, and does not count as a new generation', async () => {
  const server = await withDefinition()
  await server.call(`POST ${path}`, { body: { ...tab('a', {}), status: { size: 7 } } })
  const merge = { 'content-type': 'application/merge-patch+json' }
  const changed = await server.call(`PATCH ${path}/a/status`, {
    body: { status: { size: 2 }, spec: { size: 5 } },
    headers: merge,
  })
  assert.deepEqual(changed.object.status, { size: 2 })
  assert.deepEqual(changed.object.spec, { size: 1 })
  assert.equal(changed.object.metadata.generation, 1)
  await server.close()
})

test('deleting the definition deletes its objects, ends watches and the serving', async () => {
  const server = await withDefinition()
  await server.call(`POST ${path}`, { body: tab('a', {}) })
  const watch = await server.watch(path)
  assert.deepEqual(await watch.take(1), ['ADDED a'])
  await server.call(`DELETE ${definitions}/crontabs.stable.example.com`)
  assert.deepEqual(await watch.take(3), ['DELETED a', 'end'])
  await settled(async () => (await server.call(`GET ${path}`)).code === 404)
  const gone = await server.call(`GET ${definitions}/crontabs.stable.example.com`)
  assert.equal(gone.code, 404)
  await server.close()
})

test('discovery shows the resource and its subresources', async () => {
  const server = await withDefinition()
  const list = (await server.call('GET /apis/stable.example.com/v1')).object as unknown as {
    resources: { name: string }[]
  }
  assert.deepEqual(
    list.resources.map(({ name }) => name),
    ['crontabs', 'crontabs/status', 'crontabs/scale'],
  )
  await server.close()
})

test('OpenAPI describes the resource in both versions', async () => {
  const server = await withDefinition()
  const name = 'com.example.stable.v1.CronTab'
  const index = JSON.parse((await server.call('GET /openapi/v3')).text) as { paths: Record<string, object> }
  assert.ok('apis/stable.example.com/v1' in index.paths)
  const text = (await server.call('GET /openapi/v3/apis/stable.example.com/v1')).text
  const document = JSON.parse(text) as { components: { schemas: Record<string, object> }; paths: object }
  assert.ok(name in document.components.schemas)
  assert.ok('/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}/scale' in document.paths)
  const accept = { headers: { accept: 'application/json' } }
  const old = JSON.parse((await server.call('GET /openapi/v2', accept)).text) as { definitions: Record<string, object> }
  assert.ok(name in old.definitions)
  await server.close()
})

test('an applied scale lands where the definition keeps the replicas, and meets their owners there', async () => {
  const server = await withDefinition()
  const headers = { 'content-type': 'application/apply-patch+yaml' }
  const own = { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'a' }, spec: { size: 2 } }
  await server.call(`PATCH ${path}/a`, { headers, body: own, query: 'fieldManager=owner' })
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas: 5 } }
  const refused = await server.call(`PATCH ${path}/a/scale`, { headers, body: scale, query: 'fieldManager=hpa' })
  assert.match(refused.object.message, /conflict with "owner".*\.spec\.replicas/)
  const query = 'fieldManager=hpa&force=true'
  const applied = await server.call(`PATCH ${path}/a/scale`, { headers, body: scale, query })
  assert.deepEqual([applied.code, applied.object.spec], [200, { replicas: 5 }])
  const { object } = await server.call(`GET ${path}/a`)
  assert.equal(object.spec['size'], 5)
  assert.deepEqual(
    object.metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1]),
    [['hpa', { 'f:spec': { 'f:size': {} } }]],
  )
  await server.close()
})

test('owners are forgotten where a version that they wrote in cannot read the object', async () => {
  const server = await testServer()
  const open = { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } } }
  const wide = {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { a: { type: 'string' }, d: { type: 'string', default: 'x' } } },
    },
  }
  const versions = [
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: wide } },
    { name: 'v1beta1', served: true, storage: false, schema: { openAPIV3Schema: open } },
  ]
  const { spec, ...rest } = definition() as { spec: object }
  assert.equal((await server.call(`POST ${definitions}`, { body: { ...rest, spec: { ...spec, versions } } })).code, 201)
  await settled(async () => (await server.call(`GET ${path}`)).code === 200)
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'default' } } })
  const body = { apiVersion: 'stable.example.com/v1beta1', kind: 'CronTab', metadata: { name: 'a' }, spec: { a: 'b' } }
  const created = await server.call(`POST ${path.replace('/v1/', '/v1beta1/')}`, { body })
  assert.equal(created.object.metadata.managedFields?.length, 1)
  const headers = { 'content-type': 'application/merge-patch+json' }
  const patched = await server.call(`PATCH ${path}/a`, { headers, body: { spec: { a: 'c' } } })
  assert.equal(patched.object.metadata.managedFields, undefined)
  await server.close()
})
