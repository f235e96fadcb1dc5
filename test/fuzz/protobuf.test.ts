import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { samples } from './documents.ts'
import { fuzzParameters, fuzzedServer, type FuzzedServer } from './fuzzed-server.ts'

const contentType = 'application/vnd.kubernetes.protobuf'

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 127n) | 128)
  }
}

const tag = (field: number, wire: number): Buffer => varint(BigInt(field * 8 + wire))
const lengthDelimited = (field: number, body: Uint8Array): Buffer =>
  Buffer.concat([tag(field, 2), varint(BigInt(body.length)), body])

/** An envelope that says what it holds, truly or not. */
function enveloped(apiVersion: string, kind: string, raw: Uint8Array): Buffer {
  const typeMeta = Buffer.concat([lengthDelimited(1, Buffer.from(apiVersion)), lengthDelimited(2, Buffer.from(kind))])
  return Buffer.concat([Buffer.from('k8s\0'), lengthDelimited(1, typeMeta), lengthDelimited(2, raw)])
}

/** Any message: known and unknown fields, each with any wire type, lengths that may lie. */
const { message } = fc.letrec<{ message: Buffer; field: Buffer }>((tie) => {
  const number = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 20 }) },
    fc.constantFrom(0, 100, 536_870_911),
  )
  const text = fc.constantFrom('', 'a', 'default', '__proto__', 'constructor', '10', '\u0000', 'x'.repeat(300))
  const lie = fc.constantFrom(0n, 1n, 200n, 2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n)
  return {
    message: fc
      .array(tie('field'), { maxLength: 5, depthIdentifier: 'message' })
      .map((fields) => Buffer.concat(fields)),
    field: fc.oneof(
      { maxDepth: 5, withCrossShrink: true, depthIdentifier: 'message' },
      fc.tuple(number, lie).map(([field, value]) => Buffer.concat([tag(field, 0), varint(value)])),
      fc.tuple(number, text).map(([field, value]) => lengthDelimited(field, Buffer.from(value))),
      fc.tuple(number, fc.integer({ min: 0, max: 7 })).map(([field, wire]) => tag(field, wire)),
      fc
        .tuple(number, lie)
        .map(([field, length]) => Buffer.concat([tag(field, 2), varint(length), Buffer.from('short')])),
      fc.tuple(number, tie('message')).map(([field, body]) => lengthDelimited(field, body)),
    ),
  }
})

describe('fuzzed protobuf', () => {
  let server: FuzzedServer
  before(async () => {
    server = await fuzzedServer()
  })
  after(() => server.close())

  test('any fields in any envelope are taken or refused', async () => {
    const kinds = samples.map(({ path, object }) => ({ path, ...(object as { apiVersion: string; kind: string }) }))
    const sent = fc.record({
      kind: fc.constantFrom(...kinds),
      other: fc.constantFrom(...kinds),
      raw: message,
      lies: fc.nat(9),
    })
    const property = fc.asyncProperty(sent, async ({ kind: { path, apiVersion, kind }, other, raw, lies }) => {
      const body = enveloped(lies === 0 ? other.apiVersion : apiVersion, lies === 1 ? other.kind : kind, raw)
      const { status } = await server.ask({ method: 'POST', path, query: 'dryRun=All', contentType, body })
      assert.ok(status < 500, `answered ${status}`)
    })
    await fc.assert(property, fuzzParameters(700))
  })

  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const inDefinition = (raw: Buffer): Buffer => enveloped('apiextensions.k8s.io/v1', 'CustomResourceDefinition', raw)

  /** `not` within `not`, as deep as it goes: spec, version, schema, openAPIV3Schema, and field 29 again and again. */
  function deepSchema(depth: number): Buffer {
    // Lengths grow with what they enclose, so the heads are made from the inside out and joined once.
    const heads: Buffer[] = []
    let length = 0
    const wrap = (field: number): void => {
      const head = Buffer.concat([tag(field, 2), varint(BigInt(length))])
      heads.push(head)
      length += head.length
    }
    for (let level = 0; level < depth; level++) wrap(29)
    for (const field of [1, 4, 7, 2]) wrap(field)
    return inDefinition(Buffer.concat(heads.reverse()))
  }

  const hostile: Readonly<Record<string, () => Buffer>> = {
    'a schema that is deeper than any stack': () => deepSchema(200_000),
    'a schema of some depth': () => deepSchema(5_000),
    'a length beyond the end': () => inDefinition(Buffer.concat([tag(1, 2), varint(2n ** 63n)])),
    'a length of four billion': () => Buffer.concat([Buffer.from('k8s\0'), tag(2, 2), varint(2n ** 32n - 1n)]),
    'a number without an end': () => inDefinition(Buffer.alloc(1_000, 0xff)),
    'groups within groups': () => inDefinition(Buffer.alloc(100_000, tag(9, 3))),
    'a million empty fields': () => inDefinition(Buffer.alloc(2_000_000, Buffer.from([0x12, 0]))),
    'unknown fields of a megabyte': () => inDefinition(lengthDelimited(1_000, Buffer.alloc(1 << 20))),
    'nothing but the magic': () => Buffer.from('k8s\0'),
    'less than the magic': () => Buffer.from('k8'),
    'an envelope in an envelope': () => inDefinition(inDefinition(Buffer.alloc(0))),
  }

  for (const [name, body] of Object.entries(hostile)) {
    test(`${name}: refused`, async () => {
      const before = process.memoryUsage().rss
      const { status } = await server.ask({ method: 'POST', path, contentType, body: body() })
      assert.ok(status >= 400 && status < 500, `answered ${status}`)
      assert.ok(process.memoryUsage().rss - before < 400 << 20)
    })
  }
})
