import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from './schema.ts'
import { validateSchema } from './validate-schema.ts'

const object = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: 'object', properties })

const rows: readonly (readonly [what: string, schema: Schema, error: RegExp | undefined])[] = [
  ['a plain schema', object({ a: { type: 'string', default: 'x' } }), undefined],
  ['no type at the root', {}, /^s.type: Required value: must not be empty at the root/],
  ['no type below', object({ a: {} }), /properties\[a\].type: Required value: must not be empty for specified object/],
  ['an unknown type', object({ a: { type: 'text' } }), /Unsupported value: "text"/],
  [
    'a default that does not fit',
    object({ a: { type: 'integer', default: 'x' } }),
    /\.default: Invalid value: "string"/,
  ],
  ['a pattern that RE2 cannot read', object({ a: { type: 'string', pattern: 'a(?=b)' } }), /must be a valid regular/],
  ['a list without items', object({ a: { type: 'array' } }), /\.items: Required value: must be specified/],
  [
    'a map list without keys',
    object({ a: { type: 'array', items: object({}), 'x-kubernetes-list-type': 'map' } }),
    /list-map-keys: Required value/,
  ],
  [
    'a rule that cannot be read',
    { ...object({}), 'x-kubernetes-validations': [{ rule: 'nobody == 1' }] },
    /undeclared reference to 'nobody'/,
  ],
  [
    'structure inside a choice',
    object({ a: { type: 'string', anyOf: [{ type: 'string' }] } }),
    /anyOf\[0\].type: Forbidden: must be empty to be structural/,
  ],
  [
    'a choice of two types',
    object({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
    undefined,
  ],
]
for (const [what, schema, error] of rows) {
  test(`judges ${what}`, () => {
    const found = validateSchema(schema, 's').map(({ field, message }) => `${field}: ${message}`)
    if (error === undefined) assert.deepEqual(found, [])
    else assert.match(found[0] ?? '', error)
  })
}
