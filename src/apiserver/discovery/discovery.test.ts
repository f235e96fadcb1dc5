import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { testServer } from '../server.case.ts'

const server = await testServer()
after(() => server.close())

interface Discovered {
  readonly name: string
  readonly kind: string
  readonly verbs: readonly string[]
  readonly storageVersionHash?: string
}

test('each version lists its resources and subresources', async () => {
  const { object } = await server.call('GET /apis/apps/v1')
  const { resources } = object as unknown as { resources: Discovered[] }
  const deployments = resources
    .filter(({ name }) => name.startsWith('deployments'))
    .map(({ name, kind }) => `${name} ${kind}`)
  assert.deepEqual(deployments, ['deployments Deployment', 'deployments/scale Scale', 'deployments/status Deployment'])
  assert.ok(
    resources.every(({ name, storageVersionHash }) => name.includes('/') === (storageVersionHash === undefined)),
  )
})

test('a client that asks for it gets everything at once', async () => {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
  const { text, headers } = await server.call('GET /apis', { headers: { accept } })
  const { kind, items } = JSON.parse(text) as { kind: string; items: { metadata: { name: string } }[] }
  assert.equal(kind, 'APIGroupDiscoveryList')
  assert.ok(items.some(({ metadata }) => metadata.name === 'apps'))
  assert.match(headers['content-type'] ?? '', /as=APIGroupDiscoveryList/)
  assert.equal((await server.call('GET /apis')).object.kind, 'APIGroupList')
})

test('the root names every path, and what only lists refuses to be written', async () => {
  const { paths } = (await server.call('GET /')).object as unknown as { readonly paths: readonly string[] }
  for (const path of ['/api/v1', '/apis/apps', '/apis/apps/v1', '/readyz/etcd', '/openapi/v2', '/version']) {
    assert.ok(paths.includes(path), path)
  }
  assert.deepEqual(paths, paths.toSorted())
  for (const call of ['POST /version', 'DELETE /apis/apps', 'PUT /api'] as const) {
    const { object } = await server.call(call)
    assert.equal((object as unknown as { reason: string }).reason, 'MethodNotAllowed', call)
  }
})

test('health is told check by check', async () => {
  assert.equal((await server.call('GET /readyz')).text, 'ok')
  const verbose = await server.call('GET /livez', { query: 'verbose' })
  assert.match(verbose.text, /^\[\+\]ping ok\n[^]*\nlivez check passed\n$/)
  assert.equal((await server.call('GET /readyz/etcd')).text, 'ok')
  assert.equal((await server.call('GET /readyz/nothing')).code, 404)
})

test('OpenAPI names every kind with its fields and the parameters of its writes', async () => {
  const index = JSON.parse((await server.call('GET /openapi/v3')).text) as {
    paths: Record<string, { serverRelativeURL: string }>
  }
  assert.match(index.paths['apis/apps/v1']?.serverRelativeURL ?? '', /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]+$/)
  const { text } = await server.call('GET /openapi/v3/apis/apps/v1')
  const document = JSON.parse(text) as {
    paths: Record<string, { patch?: { parameters: { name: string }[] } }>
    components: { schemas: Record<string, { properties: Record<string, object> }> }
  }
  const patch = document.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']?.patch
  assert.ok(patch?.parameters.some(({ name }) => name === 'fieldValidation'))
  const missing = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].filter(
    ([, name = '']) => !(name in document.components.schemas),
  )
  assert.deepEqual(missing, [])
  assert.equal((await server.call('GET /openapi/v3/apis/none/v1')).code, 404)
})
