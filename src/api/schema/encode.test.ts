import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deepFreeze } from '#lib/deep-freeze.ts'
import { encodedJson, encodedList } from './encode.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

test('kind and apiVersion come first, and frozen objects are encoded once', () => {
  const object = deepFreeze({ metadata: { name: 'ä' }, apiVersion: 'v1', kind: 'Pod' })
  assert.equal(text(encodedJson(object)), '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"ä"}}')
  assert.equal(encodedJson(object), encodedJson(object))
  const draft = { a: 1 }
  assert.notEqual(encodedJson(draft), encodedJson(draft))
})

test('items of a list lose their kind and apiVersion', () => {
  const list = { metadata: { resourceVersion: '5' }, kind: 'PodList', apiVersion: 'v1' }
  const items = [
    deepFreeze({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } }),
    { apiVersion: 'v1', metadata: { name: 'b' }, kind: 'Pod' },
  ]
  assert.deepEqual(JSON.parse(text(encodedList(list, items))), {
    ...list,
    items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
  })
  assert.equal(
    text(encodedList(list, [])),
    '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"5"},"items":[]}',
  )
  assert.equal(text(encodedList({}, [{ kind: 'A', apiVersion: 'v1' }])), '{"items":[{}]}')
})
