import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatYaml, parseYaml, parseYamlDocuments } from './yaml.ts'

test('scalars mean what they mean to kubectl', () => {
  const table: readonly (readonly [string, unknown])[] = [
    ['yes', true],
    ['no', false],
    ['on', true],
    ['Off', false],
    ['true', true],
    ['0644', 420],
    ['0o17', 15],
    ['0x1F', 31],
    ['0b11', 3],
    ['1_000', 1000],
    ['-5', -5],
    ['08', 8],
    ['1.5', 1.5],
    ['1e3', 1000],
    ['2024-01-01', '2024-01-01'],
    ['22:22', '22:22'],
    ['~', null],
    ['null', null],
    ['"yes"', 'yes'],
    ["'0644'", '0644'],
    ['1.2.3', '1.2.3'],
    ['100m', '100m'],
    ['!!binary aGk=', 'hi'],
    ['!!str 5', '5'],
  ]
  for (const [text, wanted] of table) assert.deepEqual(parseYaml(`k: ${text}`).value, { k: wanted }, text)
})

test('documents, merge keys, aliases', () => {
  assert.deepEqual(
    parseYamlDocuments('a: 1\n---\n---\nb: 2\n---\n').map(({ value }) => value),
    [{ a: 1 }, { b: 2 }],
  )
  assert.deepEqual(parseYaml('x: &x {a: 1}\nz:\n  <<: *x\n  b: 2').value, { x: { a: 1 }, z: { a: 1, b: 2 } })
  assert.equal(parseYaml('').value, null)
  assert.deepEqual(parseYaml('{"a": [1, {"b": null}]}').value, { a: [1, { b: null }] })
  assert.throws(() => parseYaml('a: 1\n---\nb: 2'), /more than one document/)
})

test('repeated keys are noted and the last one wins', () => {
  const { value, duplicates } = parseYaml('a: 1\ndata:\n  k: "1"\n  k: "2"\n')
  assert.deepEqual(value, { a: 1, data: { k: '2' } })
  assert.deepEqual(duplicates, ['line 4: key "k" already set in map'])
})

test('bad text is refused with its line', () => {
  assert.throws(() => parseYaml('a: ['), {
    name: 'YamlError',
    message: 'yaml: line 1: did not find expected node content',
  })
  assert.throws(() => parseYaml('a: 1\n b: 2'), /^YamlError: yaml: line 2: /)
  assert.throws(() => parseYaml(`${'['.repeat(600)}${']'.repeat(600)}`), /YamlError/)
  const bomb = `a0: &a0 [x]\n${Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(',')}]`).join('\n')}`
  assert.throws(() => parseYaml(bomb), /YamlError/)
})

test('no prototype is touched', () => {
  const value = parseYaml('__proto__: {polluted: 1}\na: 1').value as object
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

test('values are written as kubectl writes them', () => {
  const value = { b: [{ y: 1, x: 'yes' }], a: { empty: {}, none: [], text: 'l1\nl2\n' }, c: undefined, d: null }
  assert.equal(
    formatYaml(value),
    'a:\n  empty: {}\n  none: []\n  text: |\n    l1\n    l2\nb:\n- x: "yes"\n  "y": 1\nd: null\n',
  )
  assert.deepEqual(parseYaml(formatYaml(value)).value, JSON.parse(JSON.stringify(value)))
})

test('texts are quoted as Kubernetes quotes them', () => {
  const doubled = [
    '',
    '0',
    '1e3',
    '-1.5',
    '0x1F',
    '1_000',
    '12:30',
    '~',
    'null',
    'Yes',
    'off',
    '.inf',
    '2009-01-01T01:01:01Z',
  ]
  for (const text of doubled) assert.equal(formatYaml({ a: text }), `a: "${text}"\n`)
  for (const text of ['a: b', '{', '*', '- x', '@', '#']) assert.equal(formatYaml({ a: text }), `a: '${text}'\n`)
  for (const text of ['100m', '1Gi', 'v1', '10.0.0.1', 'maybe', 'a:b', '30s'])
    assert.equal(formatYaml({ a: text }), `a: ${text}\n`)
})

test('aliases may not unfold into what nobody would write down, nor into themselves', () => {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const below = level === 0 ? 'ha' : `*l${level - 1}`
    return `l${level}: &l${level} [${Array.from({ length: 9 }, () => below).join(', ')}]`
  })
  assert.throws(() => parseYaml(levels.join('\n')), { message: 'yaml: document contains excessive aliasing' })
  assert.throws(() => parseYaml('a: &a\n  b: *a\n'), { message: 'yaml: anchor value contains itself' })
  assert.deepEqual(parseYaml('a: &a {x: 1}\nb: *a\nc: *a\n').value, { a: { x: 1 }, b: { x: 1 }, c: { x: 1 } })
})
