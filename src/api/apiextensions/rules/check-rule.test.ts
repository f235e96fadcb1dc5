import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from '../structural/schema.ts'
import { checkRule } from './check-rule.ts'
import { declaredType } from './declared-type.ts'

const formats: Readonly<Record<string, Schema>> = {
  duration: { type: 'string', format: 'duration' },
  date: { type: 'string', format: 'date' },
  'date-time': { type: 'string', format: 'date-time' },
  'int-or-string': { 'x-kubernetes-int-or-string': true },
}
const of = (type: string): Schema => formats[type] ?? { type }
type Sized = (max?: number) => Schema
const items = (schema: Schema, maxItems?: number): Schema => ({
  type: 'array',
  items: schema,
  ...(maxItems !== undefined && { maxItems }),
})
const members = (schema: Schema, maxProperties?: number): Schema => ({
  type: 'object',
  additionalProperties: schema,
  ...(maxProperties !== undefined && { maxProperties }),
})
const text: Sized = (maxLength) => ({ type: 'string', ...(maxLength !== undefined && { maxLength }) })
const struct: Schema = { type: 'object', required: ['required'], properties: { required: text(), optional: text() } }
const listOf =
  (type: string): Sized =>
  (max) =>
    items(of(type), max)
const mapOf =
  (type: string): Sized =>
  (max) =>
    members(of(type), max)
const textList: Sized = (max) => items(text(max), max)
const nested: Sized = (max) => items(members(struct, max), max)

// The costs are Kubernetes' own for the same rules: without limits in the schema, and with one.
const rows: readonly (readonly [schema: Sized, rule: string, free: number, max: number, limited: number])[] = [
  [listOf('number'), 'self.all(x, true)', 4718591, 10, 32],
  [listOf('string'), 'self.all(x, true)', 3145727, 20, 62],
  [listOf('boolean'), 'self.all(x, true)', 1887437, 5, 17],
  [(max) => items(struct, max), 'self.all(x, true)', 555128, 50, 152],
  [mapOf('number'), 'self.all(x, true)', 1348169, 10, 32],
  [mapOf('string'), 'self.all(x, true)', 1179647, 3, 11],
  [mapOf('boolean'), 'self.all(x, true)', 943718, 100, 302],
  [text, "self.contains('test')", 314574, 10, 5],
  [text, "self.startsWith('test')", 2, 15, 2],
  [text, 'size(self + "hello") > size("hello")', 314578, 4, 7],
  [listOf('number'), 'self[1] == 0.0', 2, 5000, 2],
  [listOf('string'), 'self[1] == self[1]', 314577, 8, 314577],
  [text, 'self.matches("x")', 314574, 50, 22],
  [text, '"".matches("(((((((((())))))))))[0-9]")', 7, 10, 7],
  [text, 'self.matches("")', 1, 100, 1],
  [(max) => members(text(max), max), 'self.all(x, x.contains(self[x]))', 2752507, 10, 72],
  [text, 'self == "x"', 2, 0, 1],
  [listOf('number'), 'self.all(x, x == 0.0)', 6291454, 6291456, 25165826],
  [nested, 'self.all(x, x["y"].required == "z")', 7340027, 10, 72],
  [listOf('int-or-string'), 'self.all(x, true)', 4718591, 10, 32],
  [listOf('int-or-string'), 'self[0] == 5', 3, 10, 3],
  [(max) => items(members(of('number'), max), max), 'self.all(x, x.y == 25.2)', 6291452, 12, 74],
  [listOf('duration'), 'self.all(x, true)', 2359295, 5, 17],
  [listOf('duration'), 'self[0].getHours() == 2', 4, 525, 4],
  [listOf('date'), 'self.all(x, true)', 725936, 15, 47],
  [listOf('date-time'), 'self.all(x, true)', 428963, 25, 77],
  [mapOf('duration'), 'self.all(x, true)', 1048577, 5, 17],
  [mapOf('date-time'), 'self["a"] == self["b"]', 8, 7, 8],
  [text, "self.find('[0-9]+') == ''", 629147, 10, 11],
  [textList, "self.join(' ') == 'aa bb'", 329853068905, 10, 43],
  [textList, 'self.isSorted() == true', 329854432052, 10, 52],
  [text, "self.lowerAscii() == 'lower!'", 314575, 10, 6],
  [mapOf('integer'), 'oldSelf.size() == self.size()', 5, 10, 5],
  [listOf('number'), 'self.all(x, self.all(y, self.all(z, true)))', 1e300, 10, 3552],
]
for (const [schema, rule, free, max, limited] of rows) {
  test(`the cost of ${rule} (${JSON.stringify(schema(max))})`, () => {
    const costOf = (one: Schema): number => {
      const { cost, problem } = checkRule({ rule }, declaredType(one, 'self', false)!)
      assert.equal(problem, undefined)
      return cost
    }
    if (free < 1e300) assert.equal(costOf(schema()), free)
    assert.equal(costOf(schema(max)), limited)
  })
}

test('a schema gives types: properties under their written names, metadata of resources, formats', () => {
  const properties = {
    'a-b': { type: 'integer' },
    in: { type: 'boolean' },
    at: of('date-time'),
    free: { 'x-kubernetes-preserve-unknown-fields': true },
  }
  const type = declaredType({ type: 'object', properties }, 'self', true)!
  const problem = (rule: string): string | undefined => checkRule({ rule }, type).problem?.split('\n')[0]
  assert.equal(problem('self.a__dash__b > 1 && self.__in__ && self.at < timestamp("2024-01-01T00:00:00Z")'), undefined)
  assert.equal(problem('self.metadata.name == self.kind'), undefined)
  assert.equal(problem('has(self.free)'), "compilation failed: ERROR: <input>:1:9: undefined field 'free'")
  assert.equal(
    problem('self.metadata.labels == 1'),
    "compilation failed: ERROR: <input>:1:14: undefined field 'labels'",
  )
  assert.equal(problem('1 + 1'), 'cel expression must evaluate to a bool')
})

test('the cost of what is taken out of an optional, of a type and of a converted value is bounded', () => {
  const properties = { name: text(10), size: of('int-or-string') }
  const type = declaredType({ type: 'object', properties }, 'self', true)!
  for (const rule of [
    "self.?name.orValue('none').contains('x')",
    'type(self.size) == string',
    "quantity(string(self.size)).isGreaterThan(quantity('0'))",
  ]) {
    const { problem, cost } = checkRule({ rule }, type)
    assert.deepEqual([problem, cost < 1_000_000], [undefined, true], rule)
  }
})
