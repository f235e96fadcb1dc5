import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roundtripObjects } from '../../roundtrip-objects.case.ts'
import { splitGroupVersion } from '../../schema/catalog.ts'
import { decodeText } from '../../schema/decode.ts'
import { kindNode, type ObjectNode } from '../../schema/node.ts'
import { baselineOf, ignoredFields, unownedFields } from './baseline.ts'
import { createdFields } from './created-fields.ts'
import { difference, union, writeFieldSet, type FieldSet } from './field-set.ts'
import { compareValues } from './typed-value.ts'

/** The long way round: compare with the baseline as sets, leave out what nobody owns, write what is left. */
function byComparison(node: ObjectNode, object: object, ignored: FieldSet): object {
  const { added, modified } = compareValues(node, baselineOf(node), object, ignored)
  return writeFieldSet(union(difference(added, unownedFields), difference(modified, unownedFields)))
}

test('a creator owns what a comparison with the baseline says, for every kind with every field set', () => {
  let compared = 0
  for (const { name, apiVersion, kind, json } of roundtripObjects()) {
    const { group, version } = splitGroupVersion(apiVersion)
    const node = kindNode(group, version, kind)
    if (node === undefined) continue
    const { object } = decodeText(node, json, 'Strict')
    for (const ignored of [ignoredFields(node, '', true), ignoredFields(node, 'status', true)]) {
      const fields: object = createdFields(node, object, ignored) ?? {}
      assert.equal(JSON.stringify(fields), JSON.stringify(byComparison(node, object, ignored)), name)
      compared++
    }
  }
  assert.ok(compared >= 112)
})

const objects: Readonly<Record<string, object>> = {
  'nothing but a name': { metadata: { name: 'a' } },
  'empty and absent members': { metadata: { name: 'a', labels: {}, annotations: null }, spec: { containers: [] } },
  'items of a map without their keys, twice': {
    metadata: { name: 'a', finalizers: ['x', 'x', 'a'] },
    spec: { containers: [{ name: 'c', ports: [{ containerPort: 2 }, { containerPort: 1, protocol: 'UDP' }] }] },
  },
  'keys that look like a shape': {
    metadata: { labels: { '1 a': 'x', '3 b{1 c': '', c: 'x' }, annotations: { e: '' } },
  },
  'a null where others have a map': { metadata: { labels: null }, spec: { nodeSelector: null, nodeName: '' } },
  'only what nobody owns': { metadata: { name: 'a', uid: 'u', creationTimestamp: 't', generation: 1 } },
  'a status beside the spec': { spec: { hostNetwork: false, nodeSelector: { b: '', a: '1' } }, status: { phase: 'x' } },
}

for (const [name, object] of Object.entries(objects)) {
  test(`a creator owns what a comparison with the baseline says: ${name}`, () => {
    const node = kindNode('', 'v1', 'Pod') as ObjectNode
    for (const subresource of ['', 'status']) {
      const ignored = ignoredFields(node, subresource, true)
      const expected = JSON.stringify(byComparison(node, object, ignored))
      assert.equal(JSON.stringify(createdFields(node, object, ignored) ?? {}), expected)
      assert.equal(JSON.stringify(createdFields(node, structuredClone(object), ignored) ?? {}), expected, 'again')
    }
  })
}

test('objects of one shape share what was written', () => {
  const node = kindNode('', 'v1', 'Pod') as ObjectNode
  const ignored = ignoredFields(node, '', true)
  const podOf = (name: string, image: string): object => ({
    metadata: { name, labels: { app: name } },
    spec: { containers: [{ name: 'c', image }] },
  })
  const first = createdFields(node, podOf('a', 'x'), ignored)
  assert.equal(createdFields(node, podOf('b', 'y'), ignored), first)
  assert.notEqual(createdFields(node, podOf('b', ''), ignored), first)
})
