/**
 * Names that JavaScript gives a meaning are keys like any other to Kubernetes: whoever reads or writes them keeps them,
 * and none of them reaches a prototype.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'
import { fuzzedServer, type FuzzedRequest, type FuzzedServer } from './fuzzed-server.ts'

const path = '/api/v1/namespaces/default/configmaps'
const text = '{"__proto__":"p","constructor":"c","prototype":"q","hasOwnProperty":"h","toString":"t"}'
const data = JSON.parse(text) as Record<string, string>
const objectText = (name: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"data":${text}}`

describe('names with a meaning in JavaScript', () => {
  let server: FuzzedServer
  before(async () => {
    server = await fuzzedServer()
    await server.ask({ method: 'POST', path, contentType: 'application/json', body: '{"metadata":{"name":"empty"}}' })
  })
  after(() => server.close())

  async function dataOf(name: string): Promise<unknown> {
    const { body } = await server.ask({ method: 'GET', path: `${path}/${name}` })
    if (body.type !== 'object') return assert.fail(`an answer of type ${body.type}`)
    return JSON.parse(JSON.stringify((body.object as { data?: unknown }).data))
  }

  const patched = (type: string, body: string, name: string, query = ''): FuzzedRequest => ({
    method: 'PATCH',
    path: `${path}/${name}`,
    contentType: `application/${type}`,
    body,
    query,
  })
  const operations = Object.entries(data).map(([key, value]) => ({ op: 'add', path: `/data/${key}`, value }))
  const writes: Readonly<Record<string, (name: string) => FuzzedRequest>> = {
    JSON: (name) => ({ method: 'POST', path, contentType: 'application/json', body: objectText(name) }),
    YAML: (name) => ({ method: 'POST', path, contentType: 'application/yaml', body: objectText(name) }),
    protobuf: (name) => ({
      method: 'POST',
      path,
      contentType: 'application/vnd.kubernetes.protobuf',
      body: kubernetesProtobuf().encode(JSON.parse(objectText(name)) as object),
    }),
    'a merge patch': (name) => patched('merge-patch+json', `{"data":${text}}`, name),
    'a strategic patch': (name) => patched('strategic-merge-patch+json', `{"data":${text}}`, name),
    'a JSON patch': (name) =>
      patched('json-patch+json', JSON.stringify([{ op: 'add', path: '/data', value: {} }, ...operations]), name),
    'an apply': (name) => patched('apply-patch+yaml', objectText(name), name, 'fieldManager=f&force=true'),
  }

  for (const [index, [what, write]] of Object.entries(writes).entries()) {
    test(`${what} keeps them`, async () => {
      const name = `names-${index}`
      const request = write(name)
      if (request.method === 'PATCH' && what !== 'an apply') {
        const body = `{"metadata":{"name":"${name}"}}`
        await server.ask({ method: 'POST', path, contentType: 'application/json', body })
      }
      const { status, body } = await server.ask(request)
      assert.ok(status < 300, JSON.stringify(body))
      assert.deepEqual(await dataOf(name), data)
    })
  }

  const hostile: readonly FuzzedRequest[] = [
    patched('json-patch+json', '[{"op":"add","path":"/__proto__/polluted","value":1}]', 'empty'),
    patched('json-patch+json', '[{"op":"add","path":"/metadata/constructor/prototype/polluted","value":1}]', 'empty'),
    patched('json-patch+json', '[{"op":"copy","from":"/__proto__","path":"/metadata/labels"}]', 'empty'),
    patched('merge-patch+json', '{"__proto__":{"polluted":1},"metadata":{"__proto__":{"polluted":1}}}', 'empty'),
    patched('strategic-merge-patch+json', '{"metadata":{"constructor":{"prototype":{"polluted":1}}}}', 'empty'),
    patched('apply-patch+yaml', '__proto__: {polluted: 1}\nkind: ConfigMap\napiVersion: v1', 'empty', 'fieldManager=f'),
    {
      method: 'POST',
      path,
      contentType: 'application/yaml',
      body: 'metadata: {<<: {__proto__: {polluted: 1}}, name: y}',
    },
    { method: 'POST', path, contentType: 'application/yaml', body: '"__proto__": {polluted: 1}\nmetadata: {name: z}' },
    { method: 'DELETE', path: `${path}/none`, contentType: 'application/json', body: '{"__proto__":{"polluted":1}}' },
    { method: 'GET', path, query: '__proto__[polluted]=1&constructor.prototype.polluted=1' },
  ]
  for (const [index, request] of hostile.entries()) {
    test(`no prototype is reached (${index + 1})`, async () => {
      const { status, body } = await server.ask(request)
      // Fields that an apply's schema does not know are answered with 500 by Kubernetes, too.
      const isUndeclared = status === 500 && JSON.stringify(body).includes('field not declared in schema')
      assert.ok(status < 500 || isUndeclared, `answered ${status}`)
    })
  }
})
