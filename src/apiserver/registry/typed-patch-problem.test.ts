import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typedPatchProblem } from './typed-patch-problem.ts'

const json = (found: string, type: string): string =>
  `json: cannot unmarshal ${found} into Go struct field ConfigMap.data of type ${type}`

const problems = [
  [json('number', 'map[string]string'), 'cannot restore map from int64'],
  [json('string', '[]string'), 'cannot restore slice from string'],
  [json('object', '[]string'), 'cannot restore slice from map'],
  [json('number', 'string'), 'cannot convert int64 to string'],
  [json('bool', 'string'), 'unrecognized type: string'],
  [json('string', 'int32'), 'unrecognized type: int32'],
  [json('number 1.5', 'int32'), 'cannot convert float64 to int32'],
  [json('array', 'v1.PodSpec'), 'cannot restore struct from: slice'],
  ['quantities must match the regular expression', 'quantities must match the regular expression'],
] as const

for (const [problem, expected] of problems) {
  test(`${problem} reads ${expected}`, () => assert.equal(typedPatchProblem(problem), expected))
}
