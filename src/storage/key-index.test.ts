import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyIndex } from './key-index.ts'
import type { Entry } from './store.ts'

function entry(key: string, modRevision: number): Entry {
  return { key, value: new Uint8Array(1), modRevision, createRevision: modRevision }
}

/** Everything the index remembers: `key: older… latest`, deletions as negative revisions. */
function contentsOf(index: KeyIndex): string[] {
  const lines: string[] = []
  index.scan('', undefined, ({ key, latest, older = [] }) => {
    const revisions = [...older, latest].map((one) => (one.value ? one.modRevision : -one.modRevision))
    lines.push(`${key}: ${revisions.join(' ')}`)
  })
  return lines
}

test('forgetBefore() drops what no later revision can see, and nothing else', () => {
  const index = new KeyIndex()
  index.put('a', entry('a', 2))
  index.put('a', entry('a', 3))
  index.put('a', { modRevision: 5 })
  index.put('b', entry('b', 4))
  index.forgetBefore('a', 3)
  assert.deepEqual(contentsOf(index), ['a: 3 -5', 'b: 4'])
  index.forgetBefore('b', 4)
  index.forgetBefore('absent', 4)
  assert.deepEqual(contentsOf(index), ['a: 3 -5', 'b: 4'])
  index.forgetBefore('a', 5)
  assert.deepEqual(contentsOf(index), ['b: 4'])
})

test('a deleted key that came back forgets its deletion', () => {
  const index = new KeyIndex()
  index.put('a', entry('a', 2))
  index.put('a', { modRevision: 3 })
  index.put('a', entry('a', 4))
  index.forgetBefore('a', 3)
  assert.deepEqual(contentsOf(index), ['a: 4'])
  index.forgetBefore('a', 4)
  assert.deepEqual(contentsOf(index), ['a: 4'])
})

test('ten thousand keys come and go and leave nothing behind', () => {
  const index = new KeyIndex()
  const keys = Array.from({ length: 10_000 }, (_, i) => `k/${(i * 7919) % 10_000}`)
  for (const key of keys) index.put(key, entry(key, 2))
  assert.equal(contentsOf(index).length, 10_000)
  for (const key of keys) {
    index.put(key, { modRevision: 3 })
    index.forgetBefore(key, 3)
  }
  assert.deepEqual(contentsOf(index), [])
  index.put('again', entry('again', 4))
  assert.deepEqual(contentsOf(index), ['again: 4'])
})
