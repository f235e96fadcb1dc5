import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileJsonPath, JsonPathError, plainPath } from './jsonpath.ts'

const object = {
  spec: {
    replicas: 3,
    'a.b': 'dotted',
    list: [
      { name: 'x', n: 1 },
      { name: 'y', n: 2 },
    ],
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
}

const rows: readonly (readonly [path: string, found: readonly unknown[]])[] = [
  ['.spec.replicas', [3]],
  ['.spec.missing.deeper', []],
  ["['spec']['a.b']", ['dotted']],
  ['.spec.a\\.b', ['dotted']],
  ['.spec.list[*].name', ['x', 'y']],
  ['.spec.list[0].name', ['x']],
  ['.spec.list[-1].name', ['y']],
  ['.spec.list[0:1].name', ['x']],
  ['..name', ['x', 'y']],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  ["$.status.conditions[?(@.type!='Ready')].status", ['False']],
  ['.spec.list[?(@.n>1)].name', ['y']],
]
for (const [path, found] of rows) {
  test(`the path ${path} finds ${JSON.stringify(found)}`, () => assert.deepEqual(compileJsonPath(path)(object), found))
}

test('a path that cannot be read is refused', () => {
  assert.throws(() => compileJsonPath('.a[?(@.b=='), JsonPathError)
  assert.throws(() => compileJsonPath('.a[x'), JsonPathError)
})

test('plain paths are told from others', () => {
  assert.deepEqual(plainPath(".spec['x.y'].z"), ['spec', 'x.y', 'z'])
  assert.equal(plainPath('.spec.list[0]'), undefined)
})
