import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unifiedDiff } from './unified-diff.ts'

test('a changed line is shown with three lines around it', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\ni'
  assert.equal(unifiedDiff(before, before.replace('e', 'E')), '@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n')
})

test('added lines, and changes far apart', () => {
  assert.equal(unifiedDiff('a', 'a\nb'), '@@ -1 +1,2 @@\n a\n+b\n')
  const before = Array.from({ length: 12 }, (_, index) => `${index}`).join('\n')
  const after = `x\n${before}\ny`
  assert.equal(unifiedDiff(before, after), '@@ -1,3 +1,4 @@\n+x\n 0\n 1\n 2\n@@ -10,3 +11,4 @@\n 9\n 10\n 11\n+y\n')
})

test('equal texts have no difference', () => {
  assert.equal(unifiedDiff('a\nb', 'a\nb'), '')
})

test('lines that are everywhere in a long text begin no common run', () => {
  const block = (name: string): readonly string[] => ['{', `"name": ${name}`, '},']
  const before = Array.from({ length: 80 }, (_, index) => block(`${index}`)).flat()
  const after = [...before.slice(0, 120), ...block('new'), ...before.slice(120)]
  const diff = unifiedDiff(before.join('\n'), after.join('\n'))
  assert.equal(diff.split('\n').filter((line) => /^[-+]/.test(line)).length, 3)
  assert.match(diff, /^@@ -119,6 \+119,9 @@\n/)
})
