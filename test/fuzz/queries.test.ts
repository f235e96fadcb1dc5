import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { canonicalQuantity, compareQuantities, parseQuantity } from '#api/meta/quantity.ts'
import { samples } from './documents.ts'
import { fuzzParameters, fuzzedServer, type FuzzedServer } from './fuzzed-server.ts'

/** A real continue token, cut and patched below. */
let token = ''

const segments = [
  'api',
  'apis',
  'v1',
  'apps',
  'namespaces',
  'default',
  'pods',
  'deployments',
  'configmaps',
  'a',
  'status',
  'scale',
  'log',
  'exec',
  'binding',
  'eviction',
  'token',
  'finalize',
  'proxy',
  'watch',
  'openapi',
  'v2',
  'v3',
  'version',
  'metrics',
  'healthz',
  '..',
  '.',
  '%2e%2e',
  '%00',
  '%zz',
  '%',
  '',
  '__proto__',
  'constructor',
]
const path = fc
  .array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...segments) }, { weight: 1, arbitrary: fc.string() }), {
    maxLength: 8,
  })
  .map((parts) => `/${parts.join('/')}`)

const word = fc.constantFrom(
  'app',
  'a',
  'b/c',
  '=',
  '==',
  '!=',
  '!',
  ' in ',
  ' notin ',
  '(',
  ')',
  ',',
  'metadata.name',
  'spec.nodeName',
  '\\',
  ' ',
  '__proto__',
  '1',
  '>',
  '<',
)
const selector = fc.oneof(
  fc.array(word, { maxLength: 12 }).map((words) => words.join('')),
  fc.string({ maxLength: 30 }),
)
const number = fc.oneof(
  fc.constantFrom('', '0', '1', '-1', '1e9', '99999999999999999999', 'NaN', '0x10', ' 1', 'true', 'false', 'maybe'),
  fc.nat(100).map(String),
)
const anyToken = fc.oneof(
  fc.base64String({ maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text).toString('base64url')),
  fc
    .record({
      v: fc.constantFrom('meta.k8s.io/v1', 'v2', ''),
      rv: fc.oneof(fc.integer(), fc.string()),
      start: fc.oneof(fc.string(), fc.constantFrom('../../secrets/', 'default/a\u0000', 'default/a')),
    })
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  fc
    .tuple(fc.nat(60), fc.base64String({ minLength: 4, maxLength: 4 }))
    .map(([at, piece]) => token.slice(0, at) + piece),
)
const parameters = fc.record(
  {
    labelSelector: selector,
    fieldSelector: selector,
    limit: number,
    continue: anyToken,
    resourceVersion: number,
    resourceVersionMatch: fc.constantFrom('Exact', 'NotOlderThan', 'exact', ''),
    watch: fc.constantFrom('0', 'false', ''),
    timeoutSeconds: number,
    pretty: number,
    dryRun: fc.constantFrom('All', '', 'None'),
    fieldManager: fc.string(),
    fieldValidation: fc.constantFrom('Strict', 'Warn', 'x'),
    gracePeriodSeconds: number,
    propagationPolicy: fc.constantFrom('Foreground', 'Orphan', 'x'),
    orphanDependents: number,
  },
  { requiredKeys: [] },
)
const accept = fc.oneof(
  fc.constantFrom(
    'application/json',
    '*/*',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'application/vnd.kubernetes.protobuf',
    'application/yaml',
    'application/json;q=',
    ';;;,,,',
    'application/json;as=__proto__;v=v1;g=meta.k8s.io',
  ),
  fc.string(),
)

const queryOf = (values: object): string => new URLSearchParams(values as Record<string, string>).toString()

describe('fuzzed queries', () => {
  let server: FuzzedServer
  before(async () => {
    server = await fuzzedServer()
    const contentType = 'application/json'
    for (const { path, object } of samples) {
      for (const name of ['a', 'b', 'c']) {
        const body = JSON.stringify({ ...object, metadata: { name, labels: { app: name } } })
        await server.ask({ method: 'POST', path, contentType, body })
      }
    }
    const page = await server.ask({ method: 'GET', path: '/api/v1/configmaps', query: 'limit=1' })
    const list = page.body.type === 'object' ? (page.body.object as { metadata: { continue?: string } }) : undefined
    token = list?.metadata.continue ?? ''
    assert.notEqual(token, '')
  })
  after(() => server.close())

  test('any request line is answered', async () => {
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'BREW')
    const body = fc.option(fc.constantFrom('{}', '', '[]', 'null', '{"kind":"DeleteOptions"}'), { nil: undefined })
    const contentType = fc.constantFrom('application/json', 'application/merge-patch+json', 'text/plain', '', 'a;b=c;;')
    const request = fc.record({ method, path, parameters, accept, body, contentType })
    const property = fc.asyncProperty(
      request,
      async ({ parameters: values, accept: accepted, body: text, ...rest }) => {
        const headers = { accept: accepted }
        const query = `dryRun=All&${queryOf(values)}`
        const { status } = await server.ask({ ...rest, headers, query, ...(text !== undefined && { body: text }) })
        assert.ok(status < 500 || status === 503 || status === 504, `answered ${status}`)
      },
    )
    await fc.assert(property, fuzzParameters(1_000))
  })

  test('any selector, token and limit of a list is taken or refused', async () => {
    const collection = fc.constantFrom('/api/v1/configmaps', ...samples.map((sample) => sample.path))
    const property = fc.asyncProperty(collection, parameters, accept, async (to, values, accepted) => {
      const { status } = await server.ask({
        method: 'GET',
        path: to,
        query: queryOf(values),
        headers: { accept: accepted },
      })
      // A watch from a version that is no number is answered with 500 by Kubernetes, too.
      const isWatch = values.watch === ''
      assert.ok(status < 500 || status === 504 || (isWatch && status === 500), `answered ${status}`)
    })
    await fc.assert(property, fuzzParameters(1_000))
  })

  test('quantities are refused, or have one canonical form that is worth the same', () => {
    const suffix = fc.constantFrom(
      '',
      'n',
      'u',
      'm',
      'k',
      'M',
      'G',
      'T',
      'P',
      'E',
      'Ki',
      'Mi',
      'Gi',
      'Ei',
      'e3',
      'E-9',
      'e',
      'x',
    )
    const digits = fc.oneof(
      fc.integer().map(String),
      fc.double().map(String),
      fc.stringMatching(/^[-+]?\d{0,40}\.?\d{0,40}$/),
    )
    const text = fc.oneof(
      fc.tuple(digits, suffix).map(([number_, unit]) => number_ + unit),
      fc.string({ maxLength: 12 }),
      fc.nat(6).map((power) => `1e${10 ** power}`),
    )
    const property = fc.property(text, (written) => {
      let canonical: string
      try {
        parseQuantity(written)
        canonical = canonicalQuantity(written)
      } catch (error) {
        assert.match((error as Error).message, /quantit|unable to parse|must match/i)
        return
      }
      assert.equal(canonicalQuantity(canonical), canonical)
      assert.equal(compareQuantities(written, canonical), 0)
    })
    fc.assert(property, fuzzParameters(3_000))
  })
})
