import assert from 'node:assert/strict'
import { test } from 'node:test'
import { valueInEnvFile } from './parse-env-file.ts'

test('values stand in single quotes, just as they are', () => {
  const text = [
    '# a comment',
    '',
    "A='1'",
    "  B='two words' # said twice",
    'C=\'$(A) ${B} \\n "x"\'',
    "D='first",
    '  # not a comment',
    "last'",
    'E=',
    "F= 'lost'",
    "G='a=b'   ",
    "A='again'",
  ].join('\n')
  const values = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'].map((name) => valueInEnvFile(text, name))
  assert.deepEqual(values, [
    '1',
    'two words',
    '$(A) ${B} \\n "x"',
    'first\n  # not a comment\nlast',
    ...['', '', 'a=b', undefined],
  ])
})

test('what is written otherwise is refused by its line', () => {
  const refusal = (text: string): string => {
    try {
      return `value ${valueInEnvFile(text, 'Z')}`
    } catch (error) {
      return (error as Error).message
    }
  }
  assert.equal(refusal("A='1'\nsomething"), 'invalid environment variable format at line 2')
  assert.equal(refusal("A = 'x'"), 'invalid environment variable format at line 1')
  assert.equal(refusal("='x'"), 'invalid environment variable format at line 1')
  assert.equal(refusal("export A='x'"), 'invalid environment variable format at line 1')
  assert.equal(refusal('A=x'), 'value is not enclosed in single quotes at line 1')
  assert.equal(refusal('A="x"'), 'value is not enclosed in single quotes at line 1')
  assert.equal(refusal("\nA='x\ny"), 'unclosed single quote at line 2')
  assert.equal(refusal("A='x'y"), 'unexpected text after the closing quote at line 1')
  assert.equal(refusal("Z='before'\nnonsense"), 'value before')
})
