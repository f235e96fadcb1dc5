import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { ObjectCodec } from '../cache/object-codec.ts'
import { inOnePiece, JsonEncoder } from './json-encoder.ts'

const thing = (name: string, note: string): Draft<KubernetesObject> =>
  ({ kind: 'Thing', apiVersion: 'v1', metadata: { name }, note }) as unknown as Draft<KubernetesObject>

test('a long list is made in pieces of whole items, as long as it says', () => {
  const codec = new ObjectCodec()
  const encoder = new JsonEncoder(codec)
  const note = 'ü"\n'.repeat(300)
  const stored = Array.from({ length: 500 }, (_, at) => codec.decode(codec.encode(thing(`t${at}`, note)), at + 1))
  const unstored = thing('other', note) as KubernetesObject
  const items = [...stored, unstored]
  const list = encoder.encodeList({ kind: 'ThingList', apiVersion: 'v1', metadata: { resourceVersion: '9' }, items })
  assert.ok(list)
  const bytes = inOnePiece(list)
  assert.equal(bytes.length, list.byteLength)
  // Iteration copies each piece before it asks for the next one.
  for (const size of [100_000, 2_000]) {
    const pieces: readonly Buffer[] = Array.from(list.pieces(Buffer.alloc(size)), (piece) => Buffer.from(piece))
    assert.ok(pieces.length > 5)
    assert.ok(Buffer.concat(pieces).equals(bytes))
  }
  const withoutType = items.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest)
  assert.deepEqual(JSON.parse(Buffer.from(bytes).toString()), {
    kind: 'ThingList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '9' },
    items: withoutType,
  })
})

test('an empty list, a list of others and no list at all', () => {
  const encoder = new JsonEncoder(new ObjectCodec())
  const text = (object: object): string => Buffer.from(encoder.encode(object)).toString()
  assert.equal(text({ kind: 'ThingList', items: [] }), '{"kind":"ThingList","items":[]}\n')
  assert.equal(text({ kind: 'List', items: [{ kind: 'A' }] }), '{"kind":"List","items":[{"kind":"A"}]}\n')
  assert.equal(text({ kind: 'Status' }), '{"kind":"Status"}\n')
})
