import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { deepFreeze } from '#lib/deep-freeze.ts'
import { kindNode, type ObjectNode } from '../schema/node.ts'
import { applyJsonPatch, readJsonPatch } from './json-patch.ts'
import { applyMergePatch, createMergePatch, isSameJson } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

test('a merge patch sets, replaces and removes', () => {
  const target = deepFreeze({ a: { b: 1, c: 2 }, d: [1], e: 'x' })
  assert.deepEqual(applyMergePatch(target, { a: { b: null, z: { y: null, w: 1 } }, d: [2, null], e: { f: 1 } }), {
    a: { c: 2, z: { w: 1 } },
    d: [2, null],
    e: { f: 1 },
  })
  assert.deepEqual(applyMergePatch(target, {}), target)
  assert.equal(applyMergePatch(target, 'x'), 'x')
})

test('a created merge patch leads from one object to the other', () => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer()))
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 3 }, leaf, fc.dictionary(fc.string(), tie('tree'))),
  }))
  const objects = fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', '__proto__'), fc.string()), tree)
  fc.assert(
    fc.property(objects, objects, (from, to) => {
      assert.ok(isSameJson(applyMergePatch(deepFreeze(from), createMergePatch(from, to)), to))
    }),
  )
})

const document = deepFreeze({ data: { a: '1', 'x/y~z': 'odd' }, list: ['p', 'q'] })

test('a JSON patch applies', () => {
  const apply = (...operations: object[]): unknown => applyJsonPatch(document, readJsonPatch(operations))
  assert.deepEqual(
    apply(
      { op: 'add', path: '/data/b', value: '2' },
      { op: 'remove', path: '/data/a' },
      { op: 'remove', path: '/data/x~1y~0z' },
    ),
    {
      data: { b: '2' },
      list: ['p', 'q'],
    },
  )
  assert.deepEqual(apply({ op: 'add', path: '/list/1', value: 'n' }, { op: 'add', path: '/list/-', value: 'z' }), {
    ...document,
    list: ['p', 'n', 'q', 'z'],
  })
  assert.deepEqual(
    apply({ op: 'move', from: '/list/0', path: '/list/1' }, { op: 'copy', from: '/data/a', path: '/c' }),
    { ...document, list: ['q', 'p'], c: '1' },
  )
  assert.deepEqual(
    apply({ op: 'test', path: '/data', value: { 'x/y~z': 'odd', a: '1' } }, { op: 'test', path: '/none', value: null }),
    document,
  )
  assert.deepEqual(apply({ op: 'replace', path: '', value: {} }), {})
  assert.deepEqual(
    apply(
      { op: 'replace', path: '/none', value: 1 },
      { op: 'add', path: 'ignored/more' },
      { op: 'copy', from: '/x', path: '/y' },
    ),
    { ...document, none: 1, more: null, y: null },
  )
  assert.deepEqual(
    apply(
      { op: 'remove', path: '/list/-1' },
      { op: 'replace', path: '/list/00', value: 'z' },
      { op: 'add', path: '/list/-1', value: 'end' },
    ),
    { ...document, list: ['z', 'end'] },
  )
})

const jsonPatchErrors: readonly (readonly [object, RegExp])[] = [
  [{ op: 'test', path: '/data/a', value: '2' }, /testing value \/data\/a failed: test failed/],
  [{ op: 'remove', path: '/none' }, /error in remove for path: '\/none': Unable to remove nonexistent key: none/],
  [{ op: 'add', path: '', value: {} }, /missing path/],
  [{ op: 'replace', path: '', value: 1 }, /must be object or array/],
  [{ op: 'move', from: '/none', path: '/x' }, /nonexistent key/],
  [{ op: 'move', from: '/data', path: '/data/x' }, /missing path/],
  [{ op: 'copy', from: '/list/2', path: '/x' }, /invalid index referenced/],
  [{ op: 'test', path: '/list/2', value: null }, /invalid index referenced/],
  [{ op: 'add', value: 1 }, /failed to decode path/],
  [{ op: 'move', path: '/a' }, /failed to decode from/],
  [{}, /Unexpected kind: unknown/],
  [
    { op: 'add', path: '/none/a', value: 1 },
    /add operation does not apply: doc is missing path: "\/none\/a": missing value/,
  ],
  [{ op: 'add', path: '/list/5', value: 1 }, /invalid index referenced/],
  [{ op: 'remove', path: '/list/x' }, /not a proper array index: 'x'/],
  [{ op: 'remove', path: '/list/-3' }, /invalid index referenced/],
  [{ op: 'nonsense', path: '/a' }, /Unexpected kind: nonsense/],
  [{ op: 'add', path: '/toString/x', value: 1 }, /missing path/],
]

test('a JSON patch that does not apply is refused', () => {
  for (const [operation, wanted] of jsonPatchErrors) {
    assert.throws(() => applyJsonPatch(document, readJsonPatch([operation])), wanted)
  }
  const unreadable = [
    [{}, 'error decoding patch: json: cannot unmarshal object into Go value of type []interface {}'],
    ['x', 'error decoding patch: json: cannot unmarshal string into Go value of type []interface {}'],
    [[true], 'json: cannot unmarshal bool into Go value of type jsonpatch.Operation'],
  ] as const
  for (const [body, message] of unreadable) assert.throws(() => readJsonPatch(body), { message, code: 400 })
  assert.deepEqual(applyJsonPatch(document, readJsonPatch(null)), document)
  assert.throws(
    () => readJsonPatch(Array.from({ length: 10_001 }, () => ({ op: 'test', path: '' }))),
    /maximum operations in a JSON patch is 10000, got 10001/,
  )
  const doubling = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '/data', path: `/data/k${index}` }))
  assert.throws(() => applyJsonPatch(document, doubling), /accumulated size increase/)
  applyJsonPatch(document, [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }])
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

const template = kindNode('', 'v1', 'PodTemplate') as ObjectNode
const podTemplate = deepFreeze({
  template: {
    spec: {
      containers: [
        {
          name: 'a',
          image: '1',
          env: [
            { name: 'X', value: '1' },
            { name: 'Y', value: '2' },
          ],
          args: ['p', 'q'],
          ports: [{ containerPort: 80 }, { containerPort: 81 }],
        },
        { name: 'b', image: '1' },
      ],
      volumes: [{ name: 'v', emptyDir: {} }],
      tolerations: [{ key: 'k' }],
      nodeSelector: { a: 'b' },
    },
  },
  metadata: { finalizers: ['x/a', 'x/b'], labels: { a: 'b' } },
})
type Spec = {
  containers: { name: string; image?: string; env?: object[]; args?: string[]; ports?: object[] }[]
  volumes: object[]
  tolerations: object[]
  nodeSelector: object
}

function patchSpec(spec: object): Spec {
  return (applyStrategicMergePatch(template, podTemplate, { template: { spec } }) as { template: { spec: Spec } })
    .template.spec
}

test('lists are merged by key, in the order of the patch', () => {
  const { containers } = patchSpec({
    containers: [
      { name: 'b', image: '2' },
      { name: 'c', image: '3' },
    ],
  })
  assert.deepEqual(
    containers.map(({ name, image }) => `${name}${image}`),
    ['a1', 'b2', 'c3'],
  )
  const [first] = patchSpec({
    containers: [{ name: 'a', env: [{ name: 'X', value: 'n' }, { name: 'Z' }], args: ['only'] }],
  }).containers
  assert.deepEqual(first?.env, [{ name: 'X', value: 'n' }, { name: 'Z' }, { name: 'Y', value: '2' }])
  assert.deepEqual(first?.args, ['only'])
  assert.deepEqual(patchSpec({ tolerations: [{ key: 'new' }] }).tolerations, [{ key: 'new' }])
})

test('directives delete, replace, retain and order', () => {
  assert.deepEqual(
    patchSpec({ containers: [{ name: 'b', $patch: 'delete' }] }).containers.map(({ name }) => name),
    ['a'],
  )
  assert.deepEqual(patchSpec({ containers: [{ $patch: 'replace' }, { name: 'z' }] }).containers, [{ name: 'z' }])
  assert.deepEqual(patchSpec({ nodeSelector: { $patch: 'replace', c: 'd' } }).nodeSelector, { c: 'd' })
  assert.deepEqual(patchSpec({ nodeSelector: { $patch: 'delete' } }).nodeSelector, {})
  assert.deepEqual(
    patchSpec({ volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'm' } }] }).volumes,
    [{ name: 'v', configMap: { name: 'm' } }],
  )
  assert.deepEqual(patchSpec({ volumes: [{ name: 'v', emptyDir: null, hostPath: { path: '/' } }] }).volumes, [
    { name: 'v', hostPath: { path: '/' } },
  ])
  const ordered = patchSpec({
    '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
    containers: [{ name: 'a', image: '9' }],
  })
  assert.deepEqual(
    ordered.containers.map(({ name, image }) => `${name}${image}`),
    ['b1', 'a9'],
  )
  const kept = applyStrategicMergePatch(template, podTemplate, {
    metadata: { '$deleteFromPrimitiveList/finalizers': ['x/a'] },
  })
  assert.deepEqual(kept['metadata'], { finalizers: ['x/b'], labels: { a: 'b' } })
  const joined = applyStrategicMergePatch(template, podTemplate, { metadata: { finalizers: ['x/c', 'x/a'] } }) as {
    metadata: { finalizers: string[] }
  }
  assert.deepEqual(joined.metadata.finalizers, ['x/c', 'x/a', 'x/b'])
})

test('a bad strategic merge patch is refused in the words of the API server', () => {
  const table: readonly (readonly [object, string])[] = [
    [{ containers: [{ image: 'nokey' }] }, 'map: map[image:nokey] does not contain declared merge key: name'],
    [
      { containers: [{ name: 'a', $patch: 'explode' }] },
      'unknown patch type: explode in map: map[$patch:explode name:a]',
    ],
    [
      { '$setElementOrder/containers': [{ name: 'c' }], containers: [{ name: 'a' }] },
      "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:c]]\n",
    ],
  ]
  for (const [spec, message] of table) assert.throws(() => patchSpec(spec), { code: 500, message })
  assert.throws(() => applyStrategicMergePatch(template, podTemplate, []), {
    code: 400,
    message: 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  })
})

test('what the patch adds where nothing was has no directives left', () => {
  const result = applyStrategicMergePatch(
    template,
    { metadata: {} },
    {
      template: {
        spec: {
          containers: [
            { name: 'a', env: null },
            { name: 'b', $patch: 'delete' },
          ],
          '$setElementOrder/containers': [{ name: 'a' }],
        },
      },
    },
  )
  const added = applyStrategicMergePatch(template, {}, { metadata: { labels: { $patch: 'replace', a: 'b' } } })
  assert.deepEqual(added, { metadata: {} })
  assert.deepEqual(result, { metadata: {}, template: { spec: { containers: [{ name: 'a' }] } } })
})
