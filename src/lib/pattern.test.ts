import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern, PatternError } from './pattern.ts'

const rows: readonly (readonly [pattern: string, matching: string, other: string])[] = [
  ['^[a-z]+$', 'abc', 'aBc'],
  ['^(?i)abc$', 'aBC', 'abd'],
  ['^(?P<year>\\d{4})-x$', '2024-x', '24-x'],
  ['^[[:alpha:]_]+$', 'ab_', 'a1'],
  ['\\Aab\\z', 'ab', 'ab\n'],
  ['^[]a]+$', ']a', 'b'],
  ['^\\pL+$', 'é', '1'],
  ['^a{b}$', 'a{b}', 'ab'],
  ['^.$', '😀', 'ab'],
  ['^\\Qa.b\\E$', 'a.b', 'axb'],
]
for (const [pattern, matching, other] of rows) {
  test(`the pattern ${pattern} reads as in RE2`, () => {
    assert.equal(compilePattern(pattern).test(matching), true)
    assert.equal(compilePattern(pattern).test(other), false)
  })
}

for (const pattern of ['a(?=b)', 'a(?!b)', '(?<=a)b', '(a)\\1', 'a(', 'a)', '[a', 'a{2000}', '*a', '\\y']) {
  test(`the pattern ${pattern} is refused`, () => assert.throws(() => compilePattern(pattern), PatternError))
}
