import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateAuditKeys, validateVariableNames } from './validate-annotations.ts'
import { validateMatchConditions } from './validate-match-conditions.ts'
import { validateParamKind } from './validate-param-kind.ts'
import type { FieldError } from '../../meta/status.ts'

const textOf = (errors: readonly FieldError[]): readonly string[] =>
  errors.map(({ field, message }) => `${field}: ${message.slice(0, 60)}`)

test('match conditions have a name of their own and an expression', () => {
  const conditions = [
    { name: 'a', expression: 'true' },
    { name: 'a', expression: ' ' },
    { name: '', expression: 'bad' },
  ]
  const check = (expression: string, path: string): FieldError[] =>
    expression === 'bad' ? [{ type: 'FieldValueInvalid', field: path, message: 'bad' }] : []
  assert.deepEqual(textOf(validateMatchConditions(conditions, 'c', check)), [
    'c[1].expression: Required value',
    'c[1].name: Duplicate value: "a"',
    'c[2].expression: bad',
    'c[2].name: Required value',
  ])
})

test('kinds of parameters, variables and audit annotations', () => {
  assert.deepEqual(textOf(validateParamKind({ apiVersion: 'a/b/c', kind: '' }, 'p')), [
    'p.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/',
    'p.kind: Required value',
  ])
  assert.deepEqual(validateParamKind({ apiVersion: 'v1', kind: 'ConfigMap' }, 'p'), [])
  assert.deepEqual(
    textOf(
      validateVariableNames(
        [
          { name: '1a', expression: 'x' },
          { name: 'b', expression: '' },
        ],
        'v',
      ),
    ),
    [
      'v[0].name: Invalid value: "1a": name is not a valid CEL identifier',
      'v[1].expression: Required value: expression is not specified',
    ],
  )
  const twins = [
    { key: 'k', valueExpression: 'x' },
    { key: 'k', valueExpression: 'x' },
  ]
  assert.deepEqual(textOf(validateAuditKeys(twins, 'policy.e.com', 'k')), ['k[1].key: Duplicate value: "k"'])
})
