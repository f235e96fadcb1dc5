import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isReadablePath, parseQuery } from './parse-query.ts'

const queries = [
  ['limit=5&watch=1', 'limit=5&watch=1'],
  ['limit=%zz&watch=1', 'watch=1'],
  ['a=1;b=2&c=3', 'c=3'],
  ['labelSelector=a%3Db', 'labelSelector=a%3Db'],
  ['watch=%', ''],
  ['watch', 'watch='],
] as const

for (const [text, expected] of queries) {
  test(`the query ${text} reads as ${expected || 'empty'}`, () => {
    assert.equal(parseQuery(text).toString(), expected)
  })
}

test('a path with a broken escape is none', () => {
  assert.equal(isReadablePath('/api/v1/namespaces/a%2Fb'), true)
  assert.equal(isReadablePath('/api/v1/namespaces/%zz'), false)
  assert.equal(isReadablePath('/api/v1/namespaces/%2'), false)
})
