import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'
import { formatYaml } from '#lib/yaml.ts'
import { samples, type Sample } from './documents.ts'
import { fuzzParameters, fuzzedServer, type FuzzedServer } from './fuzzed-server.ts'
import { mutated } from './mutations.ts'

describe('fuzzed bodies', () => {
  let server: FuzzedServer
  before(async () => {
    server = await fuzzedServer()
  })
  after(() => server.close())

  const formats: readonly { type: string; runs: number; write: (sample: Sample) => Uint8Array }[] = [
    { type: 'application/json', runs: 1_200, write: ({ object }) => Buffer.from(JSON.stringify(object)) },
    { type: 'application/yaml', runs: 500, write: ({ object }) => Buffer.from(formatYaml(object)) },
    {
      type: 'application/vnd.kubernetes.protobuf',
      runs: 800,
      write: ({ object }) => kubernetesProtobuf().encode(object),
    },
  ]

  for (const { type, runs, write } of formats) {
    const isBinary = type.endsWith('protobuf')
    test(`mutated bodies of ${type} are taken or refused, never stumbled over`, async () => {
      const sent = fc
        .constantFrom(...samples)
        .chain((sample) => fc.record({ path: fc.constant(sample.path), body: mutated([write(sample)], isBinary) }))
      const query = fc.constantFrom('dryRun=All', 'fieldValidation=Strict&dryRun=All', 'fieldValidation=Ignore')
      const property = fc.asyncProperty(sent, query, async (request, options) => {
        const { status } = await server.ask({ ...request, method: 'POST', query: options, contentType: type })
        assert.ok(status < 500, `answered ${status}`)
      })
      await fc.assert(property, fuzzParameters(runs))
    })
  }

  const megabyte = 1 << 20

  const hostile: readonly { name: string; type: string; body: () => string }[] = [
    { name: 'deep JSON', type: 'application/json', body: () => '['.repeat(megabyte) },
    {
      name: 'deep JSON objects',
      type: 'application/json',
      body: () => `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`,
    },
    { name: 'deep unknown field', type: 'application/json', body: () => nested('spec', 100_000) },
    { name: 'deep data', type: 'application/json', body: () => nested('data', 100_000) },
    {
      name: 'many members',
      type: 'application/json',
      body: () => `{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":1`).join()}}`,
    },
    {
      name: 'one name many times',
      type: 'application/json',
      body: () => `{${'"data":{},'.repeat(200_000)}"kind":"ConfigMap"}`,
    },
    {
      name: 'long string',
      type: 'application/json',
      body: () => JSON.stringify({ data: { k: 'x'.repeat(3 * megabyte) } }),
    },
    { name: 'deep flow YAML', type: 'application/yaml', body: () => '['.repeat(100_000) },
    { name: 'deep block YAML', type: 'application/yaml', body: () => '- '.repeat(50_000) },
    { name: 'deep keys in YAML', type: 'application/yaml', body: () => '? '.repeat(20_000) },
    { name: 'YAML aliases', type: 'application/yaml', body: laughs },
    { name: 'YAML that holds itself', type: 'application/yaml', body: () => 'a: &a\n  b: *a\n' },
    {
      name: 'many anchors',
      type: 'application/yaml',
      body: () => Array.from({ length: 50_000 }, (_, i) => `k${i}: &a${i} 1`).join('\n'),
    },
    {
      name: 'merge keys',
      type: 'application/yaml',
      body: () => `a: &a {x: 1}\n${'b:\n  <<: [*a, *a]\n'.repeat(5_000)}`,
    },
  ]

  function nested(field: string, depth: number): string {
    return `{"metadata":{"name":"x"},"${field}":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`
  }

  /** Nine levels of nine references each: 350 MB if somebody wrote them out. */
  function laughs(): string {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const below = level === 0 ? '"ha"' : `*l${level - 1}`
      return `l${level}: &l${level} [${Array.from({ length: 9 }, () => below).join(', ')}]`
    })
    return `${levels.join('\n')}\nmetadata: {name: x}\ndata: *l8\n`
  }

  for (const { name, type, body } of hostile) {
    test(`${name}: refused in bounded time and memory`, async () => {
      const text = body()
      const before = process.memoryUsage().rss
      for (const request of [
        { method: 'POST', path: '/api/v1/namespaces/default/configmaps', contentType: type },
        {
          method: 'PATCH',
          path: '/api/v1/namespaces/default/configmaps/none',
          contentType: patchType(type),
          query: 'fieldManager=f',
        },
      ]) {
        const { status } = await server.ask({ ...request, body: text })
        assert.ok(status >= 400 && status <= 500, `answered ${status}`)
      }
      const grownBytes = process.memoryUsage().rss - before
      assert.ok(grownBytes < 400 * megabyte, `grew by ${Math.round(grownBytes / megabyte)} MB`)
    })
  }

  function patchType(type: string): string {
    return type === 'application/json' ? 'application/merge-patch+json' : 'application/apply-patch+yaml'
  }
})
