import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CelCompileError, CelCostError, CelError } from './cel-error.ts'
import { compileCel } from './program.ts'
import { fromJson, toJson } from './values.ts'

const self = fromJson({ n: 3, d: 1.5, s: 'héllo', list: [1, 2, 3], map: { a: 1, b: 2 }, nested: { yes: true } })
const environment = { variables: new Set(['self']), isStructType: (name: string) => name.startsWith('Object') }

function evaluate(source: string, maxCost = 1_000_000): unknown {
  return toJson(compileCel(source, environment).evaluate({ self }, { maxCost }).value)
}

const rows: readonly (readonly [source: string, value: unknown])[] = [
  ['1 + 2 * 3 == 7', true],
  ['self.n > 2 && self.d < 2.0', true],
  ['self.n == 3.0', true],
  ['size(self.s)', 5],
  ["self.s.startsWith('hé') ? 'yes' : 'no'", 'yes'],
  ['has(self.nested.no) || self.nested.yes', true],
  ['self.missing == 1 || true', true],
  ['self.list.all(x, x > 0)', true],
  ['self.list.exists(x, x == 2)', true],
  ['self.list.exists_one(x, x > 2)', true],
  ['self.list.map(x, x * 2)', [2, 4, 6]],
  ['self.list.map(x, x > 1, x * 2)', [4, 6]],
  ['self.list.filter(x, x % 2 == 1)', [1, 3]],
  ['self.map.all(k, self.map[k] > 0)', true],
  ['self.list.all(i, v, v == i + 1)', true],
  ['self.map.transformMap(k, v, v + 1)', { a: 2, b: 3 }],
  ["self.?nope.orValue('none')", 'none'],
  ["self.map[?'a'].hasValue()", true],
  ['[1, ?optional.none(), 2]', [1, 2]],
  ['cel.bind(x, self.n, x + x)', 6],
  ["'a,b,c'.split(',').join('-')", 'a-b-c'],
  ["'%s has %d and %.2f'.format(['x', 3, 1.5])", 'x has 3 and 1.50'],
  ["'abc'.matches('^a.c$')", true],
  ["duration('1h') > duration('59m')", true],
  ["timestamp('2024-01-02T03:04:05Z').getDayOfMonth()", 1],
  ["int('42') + 1", 43],
  ["string(1) + 'x'", '1x'],
  ['type(self.n) == int', true],
  ["Object{metadata: Object.metadata{name: 'x'}}.metadata.name", 'x'],
  ['[3, 1, 2].sum() == 6 && ![3, 1].isSorted()', true],
  ["'a' in self.map && 2 in self.list", true],
  ['-5 / 2', -2],
  ["b'abc' == bytes('abc')", true],
]
for (const [source, value] of rows) test(`evaluates ${source}`, () => assert.deepEqual(evaluate(source), value))

const failures: readonly (readonly [source: string, message: string])[] = [
  ['self.missing', 'no such key: missing'],
  ['1 / 0', 'division by zero'],
  ['self.list[7]', 'index out of bounds: 7'],
  ["self.n + 'x'", 'no such overload'],
  ['9223372036854775807 + 1', 'integer overflow'],
]
for (const [source, message] of failures) {
  test(`${source} fails`, () => assert.throws(() => evaluate(source), new CelError(message)))
}

for (const source of ['1 +', 'nobody', 'self.nothing()', "'open", 'self.list.all(1, true)', 'has(1)', 'a b']) {
  test(`${source} cannot be read`, () => assert.throws(() => compileCel(source, environment), CelCompileError))
}

test('a compile error shows where', () => {
  assert.throws(
    () => compileCel('1 == nobody', environment),
    /ERROR: <input>:1:6: undeclared reference to 'nobody' \(in container ''\)\n \| 1 == nobody\n \| \.\.\.\.\.\^/,
  )
})

test('work without end is cut off, and nothing absorbs that', () => {
  const source = 'self.list.all(a, self.list.all(b, self.list.all(c, a + b + c > 0))) || true'
  assert.throws(() => evaluate(source, 50), CelCostError)
})
