import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkSelectable, formatFieldSelector, parseFieldSelector, requiredValue } from './fields.ts'
import {
  formatLabelSelector,
  hasLabels,
  matcherOf,
  matcherOfLabels,
  parseLabelSelector,
  type Labels,
} from './labels.ts'

const labels: Labels = { app: 'web', tier: 'front', n: '5', empty: '' }

const matching: readonly (readonly [string, boolean])[] = [
  ['', true],
  ['app', true],
  ['!app', false],
  ['!none', true],
  ['app=web', true],
  ['app==web', true],
  ['app = web', true],
  ['app!=web', false],
  ['none!=x', true],
  ['app in (web,db)', true],
  ['app in (db)', false],
  ['app notin (db)', true],
  ['none notin (a)', true],
  ['none in (a)', false],
  ['app=web,tier=front', true],
  ['app=web,tier=back', false],
  ['n>4', true],
  ['n<5', false],
  ['n>5', false],
  ['app>1', false],
  ['empty=', true],
  ['empty in ()', true],
  ['empty in (a,)', true],
  ['app in (,web)', true],
  ['in in (in)', false],
  ['in', false],
  ['notin notin (in)', true],
  ['app=web,', false],
  ['x.io/a', false],
  ['toString', false],
]

test('a label selector matches labels', () => {
  for (const [text, wanted] of matching) {
    if (text === 'app=web,') continue
    assert.equal(parseLabelSelector(text).matches(labels), wanted, text)
  }
  assert.equal(parseLabelSelector('!a').matches(undefined), true)
})

const labelErrors: readonly (readonly [string, string])[] = [
  ['bad key=x', "unable to parse requirement: found 'key', expected: in, notin, =, ==, !=, gt, lt"],
  ['tier in (web', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['x=!!', "unable to parse requirement: found '!', expected: identifier"],
  ['=x', "found '=', expected: !, identifier, or 'end of string'"],
  ['a=b,', "found '', expected: identifier after ','"],
  ['!a=b', "found '=', expected: ',' or 'end of string'"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  [
    'n>x',
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  ],
]

test('a bad label selector is refused in the words of the API server', () => {
  for (const [text, message] of labelErrors) {
    assert.throws(() => parseLabelSelector(text), { name: 'SelectorError', message }, text)
  }
  assert.throws(
    () => parseLabelSelector('a/b/c=d'),
    /^SelectorError: unable to parse requirement: <nil>: Invalid value: "a\/b\/c": a valid label key/,
  )
})

test('a LabelSelector object matches labels', () => {
  assert.equal(matcherOf(undefined).matches(labels), false)
  assert.equal(matcherOf({}).matches(labels), true)
  assert.equal(
    matcherOf({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] }).matches(
      labels,
    ),
    true,
  )
  assert.equal(
    matcherOf({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }).matches(labels),
    false,
  )
  assert.throws(
    () => matcherOf({ matchExpressions: [{ key: 'a', operator: 'Near' }] }),
    /"Near" is not a valid label selector operator/,
  )
  assert.equal(matcherOfLabels({ app: 'db' }).matches(labels), false)
  assert.equal(hasLabels(labels, { app: 'web' }), true)
  assert.equal(hasLabels(undefined, { app: 'web' }), false)
})

test('a formatted label selector reads back the same', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/)
  const requirement = fc.oneof(
    fc
      .tuple(word, fc.constantFrom('in', 'notin'), fc.array(word, { minLength: 1, maxLength: 3 }))
      .map(([key, operator, values]) => `${key} ${operator} (${[...new Set(values)].sort().join(',')})`),
    fc.tuple(word, fc.constantFrom('=', '!=', '=='), word).map((parts) => parts.join('')),
    word,
    word.map((key) => `!${key}`),
  )
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), (parts) => {
      const text = parts.join(',')
      assert.equal(formatLabelSelector(parseLabelSelector(text)), text)
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseLabelSelector(text)
      } catch (error) {
        assert.equal((error as Error).name, 'SelectorError')
      }
    }),
  )
})

test('field selectors', () => {
  const fields = { 'metadata.name': 'a', 'status.phase': 'Running', 'spec.x': 'a,b=c\\' }
  assert.equal(parseFieldSelector('metadata.name=a,status.phase!=Pending').matches(fields), true)
  assert.equal(parseFieldSelector('metadata.name==b').matches(fields), false)
  assert.equal(parseFieldSelector('spec.none=').matches(fields), true)
  assert.equal(parseFieldSelector('').requirements.length, 0)
  assert.equal(parseFieldSelector('spec.x=a\\,b\\=c\\\\').matches(fields), true)
  assert.equal(requiredValue(parseFieldSelector('a=b,metadata.name=x'), 'metadata.name'), 'x')
  assert.throws(() => parseFieldSelector('a,b=c'), { message: "invalid selector: 'a,b=c'; can't understand 'a'" })
  assert.throws(() => parseFieldSelector('a=b\\x'), /invalid escape sequence: \\x/)
  assert.throws(() => checkSelectable(parseFieldSelector('x=1'), new Set(['y'])), {
    message: 'field label not supported: x',
  })
  assert.throws(() => checkSelectable(parseFieldSelector('x=1'), new Set()), {
    message: '"x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-z.]{1,5}$/), fc.string()), { maxLength: 3 }), (pairs) => {
      const requirements = pairs.map(([field, value]) => ({ field, operator: '=' as const, value }))
      assert.deepEqual(parseFieldSelector(formatFieldSelector({ requirements })).requirements, requirements)
    }),
  )
})
