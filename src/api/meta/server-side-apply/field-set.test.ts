import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  difference,
  intersection,
  isEmptySet,
  pathsOf,
  pathText,
  readFieldSet,
  setOfPaths,
  union,
  withoutSubtrees,
  writeFieldSet,
  type FieldSet,
} from './field-set.ts'

const paths = fc.array(fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"n":1}', 'v:"x"'), { minLength: 1, maxLength: 3 }), {
  maxLength: 6,
})
const texts = (set: FieldSet): Set<string> => new Set(pathsOf(set).map((path) => path.join('/')))

test('operations on sets of paths are those of sets', () => {
  fc.assert(
    fc.property(paths, paths, (left, right) => {
      const a = setOfPaths(left)
      const b = setOfPaths(right)
      assert.deepEqual(texts(union(a, b)), texts(a).union(texts(b)))
      assert.deepEqual(texts(difference(a, b)), texts(a).difference(texts(b)))
      assert.deepEqual(texts(intersection(a, b)), texts(a).intersection(texts(b)))
      assert.ok(isEmptySet(difference(a, a)))
      assert.deepEqual(texts(readFieldSet(writeFieldSet(a))), texts(a))
      const outside = [...texts(a)].filter(
        (path) => ![...texts(b)].some((other) => path === other || path.startsWith(`${other}/`)),
      )
      assert.deepEqual(texts(withoutSubtrees(a, b)), new Set(outside))
    }),
  )
})

test('paths are shown as messages name them', () => {
  assert.equal(
    pathText(['f:spec', 'f:ports', 'k:{"containerPort":80,"protocol":"TCP"}', 'f:name']),
    '.spec.ports[containerPort=80,protocol="TCP"].name',
  )
  assert.equal(pathText(['f:metadata', 'f:finalizers', 'v:"x"']), '.metadata.finalizers[="x"]')
  assert.deepEqual(pathsOf(readFieldSet({ 'k:{"b":1,"a":2}': {} })), [['k:{"a":2,"b":1}']])
  assert.deepEqual(pathsOf(readFieldSet({ 'f:x': 'nonsense' } as never)), [])
})
