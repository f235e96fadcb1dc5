import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkName,
  configMapKey,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  envVarName,
  labelKey,
  labelValue,
  pathSegment,
  portName,
  portNumber,
  qualifiedName,
  type StringRule,
} from './names.ts'

const table: readonly (readonly [string, StringRule, readonly string[], readonly string[]])[] = [
  ['dnsLabel', dnsLabel, ['a', 'a-b', '1', 'a'.repeat(63)], ['', 'A', '-a', 'a-', 'a.b', 'a\n', 'a'.repeat(64)]],
  ['dnsSubdomain', dnsSubdomain, ['a', 'a.b', 'a-b.c', '1.2'], ['', 'a..b', '.a', 'a.', 'A', 'a_b', 'a'.repeat(254)]],
  ['dns1035Label', dns1035Label, ['a', 'a1'], ['1a', 'a.', 'a-']],
  ['labelValue', labelValue, ['', 'A', 'a_b.c', 'x'.repeat(63)], ['-a', 'a-', 'a b', 'x'.repeat(64)]],
  [
    'qualifiedName',
    qualifiedName,
    ['a', 'x.io/a', 'A_b.c'],
    ['', '/a', 'a/', 'A.io/a', 'a/b/c', '-a', `x/${'a'.repeat(64)}`],
  ],
  ['configMapKey', configMapKey, ['a', '.a', 'A-b_c.d'], ['', '.', '..', '..a', 'a/b', 'a'.repeat(254)]],
  ['envVarName', envVarName, ['A', '1a', 'a-b', 'a b', '.'], ['', 'a=b', 'ä', 'a\tb']],
  ['portName', portName, ['http', 'a1-b'], ['', '1', 'A', '-a', 'a-', 'a--b', 'waytoolongportname']],
  ['pathSegment', pathSegment, ['a:b', 'system:admin', 'A'], ['.', '..', 'a/b', 'a%b']],
]

test('names are judged', () => {
  for (const [name, rule, good, bad] of table) {
    for (const value of good) assert.deepEqual(rule(value), [], `${name} accepts ${value}`)
    for (const value of bad) assert.notEqual(rule(value).length, 0, `${name} refuses ${value}`)
  }
  assert.deepEqual(portNumber(0), ['must be between 1 and 65535, inclusive'])
  assert.deepEqual(portNumber(65_535), [])
})

test('messages are those of the API server', () => {
  assert.deepEqual(dnsLabel('Bad'), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ])
  assert.deepEqual(labelKey('a/b/c'), [
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  ])
  assert.deepEqual(labelValue('x'.repeat(64)), ['must be no more than 63 bytes'])
  assert.equal(qualifiedName('').length, 2)
})

test('a generateName prefix may end with a hyphen', () => {
  assert.deepEqual(checkName('dnsLabel', 'web-', true), [])
  assert.equal(checkName('dnsLabel', 'web-').length, 1)
  assert.equal(checkName('dnsSubdomain', 'Web-', true).length, 1)
})
