import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addAmounts, maxAmounts, resourceAmount } from './resource-amounts.ts'

test('cpu is counted in millicores, the rest in units, rounded up', () => {
  const cases: readonly [string, string, number][] = [
    ['cpu', '1', 1000],
    ['cpu', '250m', 250],
    ['cpu', '0.1', 100],
    ['cpu', '.5', 500],
    ['cpu', '1.', 1000],
    ['cpu', '100u', 1],
    ['cpu', '1e3', 1_000_000],
    ['memory', '1Ki', 1024],
    ['memory', '1.5Gi', 1_610_612_736],
    ['memory', '128974848', 128_974_848],
    ['memory', '129e6', 129_000_000],
    ['memory', '129M', 129_000_000],
    ['memory', '1500m', 2],
    ['pods', '110', 110],
    ['memory', '1Pi', 2 ** 50],
  ]
  for (const [name, quantity, expected] of cases) assert.equal(resourceAmount(name, quantity), expected, quantity)
})

test('amounts combine resource by resource', () => {
  assert.deepEqual(addAmounts({ cpu: 1, memory: 2 }, { cpu: 3, pods: 4 }), { cpu: 4, memory: 2, pods: 4 })
  assert.deepEqual(maxAmounts({ cpu: 1, memory: 2 }, { cpu: 3, memory: 1 }), { cpu: 3, memory: 2 })
})
