import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { kubernetesProtobuf } from '#api/protobuf/envelope.ts'
import { formatYaml } from '#lib/yaml.ts'
import { samples, type Sample } from './documents.ts'
import { hostileBodies } from './hostile-bodies.ts'
import { fuzzParameters, fuzzedServer, type FuzzedServer } from './fuzzed-server.ts'
import { mutated } from './mutations.ts'

const megabyte = 1 << 20

describe('fuzzed bodies', () => {
  let server: FuzzedServer
  before(async () => {
    server = await fuzzedServer()
  })
  after(() => server.close())

  const formats: readonly { type: string; runs: number; write: (sample: Sample) => Uint8Array }[] = [
    { type: 'application/json', runs: 800, write: ({ object }) => Buffer.from(JSON.stringify(object)) },
    { type: 'application/yaml', runs: 350, write: ({ object }) => Buffer.from(formatYaml(object)) },
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

  for (const { name, type, body } of hostileBodies) {
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
