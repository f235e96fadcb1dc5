import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { samples } from './documents.ts'
import { fuzzParameters, fuzzedServer, type FuzzedServer } from './fuzzed-server.ts'

const number = fc.oneof(
  fc.constantFrom('', '0', '1', '-1', '1e9', '99999999999999999999', 'NaN', '0x10', ' 1', '1.5', 'true'),
  fc.nat(60).map(String),
)
const flag = fc.constantFrom('', '0', '1', 'true', 'false', 'TRUE', 'maybe', '__proto__')
const parameters = fc.record(
  {
    timeoutSeconds: number,
    resourceVersion: number,
    resourceVersionMatch: fc.constantFrom('Exact', 'NotOlderThan', 'exact', ''),
    sendInitialEvents: flag,
    allowWatchBookmarks: flag,
    labelSelector: fc.constantFrom('', 'app', 'app=a', 'app in (a', '!app', '__proto__=a'),
    fieldSelector: fc.constantFrom('', 'metadata.name=a', 'spec.x=1', 'metadata.name', '__proto__=a'),
    limit: number,
    continue: fc.constantFrom('', 'x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ'),
    includeObject: fc.constantFrom('', 'None', 'Object', 'Metadata', 'x'),
  },
  { requiredKeys: [] },
)

/** Forms of an answer, whole and garbled. */
const accept = fc
  .array(
    fc.record({
      type: fc.constantFrom(
        'application/json',
        'application/yaml',
        'application/vnd.kubernetes.protobuf',
        '*/*',
        'text/html',
        '',
      ),
      as: fc.constantFrom(
        '',
        ';as=Table',
        ';as=PartialObjectMetadata',
        ';as=PartialObjectMetadataList',
        ';as=__proto__',
        ';as=',
      ),
      v: fc.constantFrom('', ';v=v1', ';v=v1beta1', ';v=v9', ';v=constructor'),
      g: fc.constantFrom('', ';g=meta.k8s.io', ';g=apps'),
      more: fc.constantFrom('', ';stream=watch', ';q=0', ';q=x', ';;', ',', ';charset=utf-8'),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((ranges) => ranges.map(({ type, as, v, g, more }) => type + as + v + g + more).join(','))

describe('fuzzed watches and forms', () => {
  let server: FuzzedServer
  before(async () => {
    server = await fuzzedServer()
    for (const { path, object } of samples) {
      await server.ask({ method: 'POST', path, contentType: 'application/json', body: JSON.stringify(object) })
    }
  })
  after(() => server.close())

  const collection = fc.constantFrom('/api/v1/configmaps', '/api/v1/watch/pods', ...samples.map(({ path }) => path))
  const queryOf = (values: object): string => new URLSearchParams(values as Record<string, string>).toString()

  test('any watch begins and ends, or is refused', async () => {
    const property = fc.asyncProperty(collection, parameters, accept, async (path, values, accepted) => {
      const query = `watch=1&${queryOf(values)}`
      const { status, body } = await server.ask({ method: 'GET', path, query, headers: { accept: accepted } })
      // A version that is no number is answered with 500 by Kubernetes, too.
      assert.ok(status < 500 || status === 504 || (status === 500 && 'resourceVersion' in values), `answered ${status}`)
      if (body.type !== 'watch') return
      // The client is gone by now: what is under way ends by itself.
      for await (const event of body.events) assert.ok(event)
    })
    await fc.assert(property, fuzzParameters(500))
  })

  test('any form of any object is given or refused', async () => {
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    const sample = fc.constantFrom(...samples)
    const property = fc.asyncProperty(
      sample,
      method,
      parameters,
      accept,
      async ({ path, object }, verb, values, accepted) => {
        const { status } = await server.ask({
          method: verb,
          path: verb === 'POST' ? path : `${path}/a`,
          query: `dryRun=All&${queryOf({ includeObject: values.includeObject ?? '' })}`,
          headers: { accept: accepted },
          contentType: verb === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          ...(verb !== 'GET' && { body: verb === 'DELETE' ? '{}' : JSON.stringify(object) }),
        })
        assert.ok(status < 500, `answered ${status}`)
      },
    )
    await fc.assert(property, fuzzParameters(500))
  })

  const long = 'x'.repeat(100_000)
  const lines: readonly string[] = [
    `/${long}`,
    `/api/v1/namespaces/${long}/pods/${long}`,
    `/api/v1/namespaces/default/pods/a/${'proxy/'.repeat(5_000)}`,
    `/apis/apps/v1/${'../'.repeat(5_000)}`,
    '/api/v1/namespaces/default/../../../etc/passwd',
    '/api/v1/namespaces/default/configmaps/..%2f..%2fsecrets%2fa',
    '/api/v1/namespaces/default/configmaps/%2e%2e',
    '/api/v1/namespaces/%00/configmaps',
    '/api/v1/namespaces/%ff%fe/configmaps/%c0%ae',
    '/api/v1/namespaces/%zz/configmaps',
    '/api/v1/namespaces/default/configmaps/%',
    '/api//v1///namespaces',
    '//api/v1/namespaces',
    'api/v1',
    '*',
    '',
    '/apis/__proto__/v1/toString',
    '/apis/apps/constructor/hasOwnProperty',
    '/api/v1/__proto__',
    '/api/v1/namespaces/default/__proto__/constructor/prototype',
    '/openapi/v3/apis/__proto__/v1',
    '/api/v1/nodes/%5B::1%5D:10250/proxy/x',
    '/api/v1/namespaces/default/services/a:b:c:d:e/proxy/',
  ]
  for (const line of lines) {
    test(`${line.length > 80 ? `${line.slice(0, 60)}… of ${line.length} characters` : `'${line}'`}: answered`, async () => {
      for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS']) {
        const body = method === 'POST' ? { body: '{}', contentType: 'application/json' } : {}
        const { status } = await server.ask({ method, path: line, query: 'dryRun=All', ...body })
        assert.ok(status < 500 || status === 503, `${method} answered ${status}`)
      }
    })
  }
})
