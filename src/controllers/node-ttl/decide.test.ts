import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideTtl, firstStep } from './decide.ts'

test('the time to live grows with the nodes and falls only when they are clearly fewer', () => {
  const seconds: number[] = []
  let step = firstStep
  for (const nodes of [1, 100, 101, 95, 89, 501, 20_000, 9_500, 8_999, 3]) {
    step = decideTtl(step, nodes)
    seconds.push(step.ttlSeconds)
  }
  assert.deepEqual(seconds, [0, 0, 15, 15, 0, 30, 600, 600, 300, 0])
})
