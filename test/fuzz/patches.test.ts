import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { samples } from './documents.ts'
import { fuzzParameters, fuzzedServer, type FuzzedServer } from './fuzzed-server.ts'
import { anyJson, mutated } from './mutations.ts'

const keys = [
  'metadata',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'spec',
  'template',
  'containers',
  'env',
  'ports',
  'name',
  'volumes',
  'tolerations',
  'data',
  'replicas',
  'selector',
  'status',
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
  '$deleteFromPrimitiveList/finalizers',
  'containerPort',
]

const target = fc.constantFrom(...samples.map(({ path }) => `${path}/a`))
const query = fc.constantFrom('dryRun=All', 'dryRun=All&fieldValidation=Strict', 'dryRun=All&force=true')

const pointer = fc
  .array(
    fc.oneof(fc.constantFrom('-', '0', '1', '', '~0', '~1', '~2', '__proto__', 'constructor', ...keys), fc.string()),
    {
      maxLength: 5,
    },
  )
  .map((parts) => parts.map((part) => `/${part}`).join(''))

const operation = fc.record(
  {
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'bogus'),
    path: pointer,
    from: pointer,
    value: anyJson(keys),
  },
  { requiredKeys: ['op', 'path'] },
)

interface PatchKind {
  readonly type: string
  readonly body: fc.Arbitrary<Uint8Array>
  readonly runs: number
}

const written = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Uint8Array> =>
  value.map((patch) => Buffer.from(JSON.stringify(patch)))
const whole = samples.map(({ object }) => Buffer.from(JSON.stringify(object)))

const kinds: readonly PatchKind[] = [
  { type: 'application/json-patch+json', body: written(fc.array(operation, { maxLength: 5 })), runs: 600 },
  { type: 'application/json-patch+json', body: written(anyJson(['op', 'path', 'value'])), runs: 200 },
  { type: 'application/merge-patch+json', body: written(anyJson(keys)), runs: 400 },
  { type: 'application/merge-patch+json', body: mutated(whole), runs: 300 },
  { type: 'application/strategic-merge-patch+json', body: written(anyJson(keys)), runs: 600 },
  { type: 'application/strategic-merge-patch+json', body: mutated(whole), runs: 400 },
  { type: 'application/apply-patch+yaml', body: written(anyJson(keys)), runs: 300 },
  { type: 'application/apply-patch+yaml', body: mutated(whole), runs: 400 },
]

describe('fuzzed patches', () => {
  let server: FuzzedServer
  before(async () => {
    server = await fuzzedServer()
    const contentType = 'application/json'
    for (const { path, object } of samples) {
      const { status, body } = await server.ask({ method: 'POST', path, contentType, body: JSON.stringify(object) })
      assert.equal(status, 201, JSON.stringify(body))
    }
  })
  after(() => server.close())

  for (const [index, { type, body, runs }] of kinds.entries()) {
    test(`any patch of ${type} is applied or refused (${index + 1})`, async () => {
      const property = fc.asyncProperty(target, query, body, async (path, options, bytes) => {
        const manager = type.includes('apply') ? '&fieldManager=f' : ''
        await server.ask({ method: 'PATCH', path, query: options + manager, contentType: type, body: bytes })
      })
      await fc.assert(property, fuzzParameters(runs))
    })
  }
})
