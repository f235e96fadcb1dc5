import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from './schema.ts'
import { validateRules } from './validate-rules.ts'

const spec = (schema: Schema): Schema => ({ type: 'object', properties: { spec: schema } })
const withRule = (schema: Schema, rule: string, more: object = {}): Schema => ({
  ...schema,
  'x-kubernetes-validations': [{ rule, ...more }],
})
const advice =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)'
const at = 's.properties[spec].x-kubernetes-validations[0]'
const names: Schema = { type: 'array', items: { type: 'string' } }

const rows: readonly (readonly [what: string, schema: Schema, ...errors: string[]])[] = [
  ['a good rule', spec(withRule({ type: 'integer' }, 'self > 1'))],
  [
    'a rule that cannot be read',
    spec(withRule({ type: 'integer' }, 'self >')),
    `${at}.rule: Invalid value: {"Rule":"self \\u003e","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:7: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self >\n | ......^`,
  ],
  [
    'types that do not agree',
    spec(withRule({ type: 'integer' }, "self == 'a'", { messageExpression: '1' })),
    `${at}.rule: Invalid value: {"Rule":"self == 'a'","Message":"","MessageExpression":"1","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:6: found no matching overload for '_==_' applied to '(int, string)'\n | self == 'a'\n | .....^`,
    `${at}.messageExpression: Invalid value: {"Rule":"self == 'a'","Message":"","MessageExpression":"1","Reason":null,"FieldPath":"","OptionalOldSelf":null}: messageExpression must evaluate to a string`,
  ],
  [
    'a rule that may cost too much',
    spec(withRule(names, 'self.all(x, self.all(y, x == y))')),
    `${at}.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${advice}`,
    `${at}.rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
    `s: Forbidden: estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${advice}`,
  ],
  [
    'a cheap rule of many items',
    spec({ type: 'array', maxItems: 6_000_000, items: withRule({ type: 'string', maxLength: 10 }, "self != 'x'") }),
    `s.properties[spec].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of 1.200000x ${advice}`,
  ],
  [
    'the value before of items without identity',
    spec({ ...names, maxItems: 9, items: withRule({ type: 'string', maxLength: 9 }, 'self == oldSelf') }),
    's.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within s.properties[spec]',
  ],
  [
    'an optional value before that is not used',
    spec(withRule({ type: 'integer' }, 'self > 1', { optionalOldSelf: true })),
    `${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
  ],
]
for (const [what, schema, ...errors] of rows) {
  test(what, () => {
    const found = validateRules(schema, 's').map(({ field, message }) => `${field}: ${message}`)
    assert.deepEqual(
      found.filter((each) => !each.includes('x-kubernetes-validations[0].rule: Forbidden') || errors.includes(each)),
      errors,
    )
  })
}
