import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeySpace, type KeyRange } from './key-space.ts'

const text = ({ key, rangeEnd }: KeyRange): string[] => [key, rangeEnd].map((bytes) => Buffer.from(bytes).toString())

for (const [keyPrefix, prefix, after, expected] of [
  ['', '', undefined, ['\0\0', '\0']],
  ['', 'a/', undefined, ['a/', 'a0']],
  ['', 'a/', 'a/1', ['a/1\0', 'a0']],
  ['', 'a/', 'A', ['a/', 'a0']],
  ['', 'a/', 'z', ['z\0', 'a0']],
  ['/two', '', undefined, ['/two\0\0', '/twp']],
  ['/two', '/registry/', undefined, ['/two/registry/', '/two/registry0']],
] as const) {
  test(`the range of "${prefix}" behind "${after}" in "${keyPrefix}"`, () => {
    assert.deepEqual(text(new KeySpace(keyPrefix).range(prefix, after)), expected)
  })
}

test('keys come back as they went in, and the marker is nobody else', () => {
  for (const keyPrefix of ['', '/two']) {
    const space = new KeySpace(keyPrefix)
    assert.equal(space.decode(space.encode('/registry/a')), '/registry/a')
    assert.equal(space.decode(space.marker), undefined)
    assert.ok(Buffer.compare(space.marker, space.range('').key) < 0)
    assert.deepEqual(space.whole.key, space.marker)
  }
})
