import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from './schema.ts'
import { validateValue } from './validate-value.ts'

const rows: readonly (readonly [what: string, schema: Schema, value: unknown, errors: readonly string[]])[] = [
  ['a fitting value', { type: 'integer', minimum: 1 }, 1, []],
  [
    'a number below',
    { type: 'integer', minimum: 1 },
    0,
    ['f: Invalid value: 0: f in body should be greater than or equal to 1'],
  ],
  [
    'an exclusive bound',
    { type: 'number', maximum: 2, exclusiveMaximum: true },
    2,
    ['f: Invalid value: 2: f in body should be less than 2'],
  ],
  [
    'a wrong type',
    { type: 'integer' },
    'x',
    ['f: Invalid value: "string": f in body must be of type integer: "string"'],
  ],
  ['null', { type: 'string' }, null, ['f: Invalid value: "null": f in body must be of type string: "null"']],
  ['a null that may be', { type: 'string', nullable: true }, null, []],
  [
    'int or string',
    { 'x-kubernetes-int-or-string': true },
    true,
    ['f: Invalid value: "boolean": f in body must be of type integer,string: "boolean"'],
  ],
  ['a long text', { type: 'string', maxLength: 2 }, 'abc', ['f: Too long: may not be more than 2 bytes']],
  ['characters, not bytes', { type: 'string', maxLength: 2 }, 'éé', []],
  ['too many items', { type: 'array', maxItems: 1 }, [1, 2], ['f: Too many: 2: must have at most 1 item']],
  ['a missing member', { type: 'object', required: ['a'] }, {}, ['f.a: Required value']],
  [
    'no branch',
    { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b', 'c'] }] },
    {},
    [
      '<nil>: Invalid value: "": "f" must validate one and only one schema (oneOf). Found none valid',
      'f.a: Required value',
    ],
  ],
  [
    'a refused branch',
    { not: { required: ['a'] } },
    { a: 1 },
    ['<nil>: Invalid value: "": "f" must not validate the schema (not)'],
  ],
]
for (const [what, schema, value, errors] of rows) {
  test(`validates ${what}`, () => {
    const found = validateValue(schema, value, 'f').map(({ field, message }) => `${field}: ${message}`)
    assert.deepEqual(found, errors)
  })
}

test('what an update leaves as it was may stay wrong', () => {
  const schema: Schema = { type: 'object', properties: { a: { type: 'string', maxLength: 1 }, b: { type: 'string' } } }
  assert.deepEqual(validateValue(schema, { a: 'long', b: 'new' }, '', { a: 'long', b: 'old' }), [])
  assert.equal(validateValue(schema, { a: 'other', b: 'new' }, '', { a: 'long', b: 'old' }).length, 1)
})
