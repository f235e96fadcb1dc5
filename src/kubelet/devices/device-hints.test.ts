import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device } from './choose-devices.ts'
import { deviceHints, nearCandidates } from './device-hints.ts'

const devices: readonly Device[] = [
  { id: 'a', isHealthy: true, numaNodes: [0] },
  { id: 'b', isHealthy: true, numaNodes: [0] },
  { id: 'c', isHealthy: true, numaNodes: [1] },
  { id: 'd', isHealthy: true, numaNodes: [1] },
]

/** Such as `0 !`, with the mark for those that are preferred. */
function shown(needed: number, available: readonly string[], mustInclude: readonly string[] = []): readonly string[] {
  const hints = deviceHints({ nodes: [0, 1], devices, candidates: { mustInclude, available }, needed })
  return (hints ?? []).map(({ nodes, isPreferred }) => `${[...(nodes ?? [])].join('')}${isPreferred ? ' !' : ''}`)
}

const cases: readonly [needed: number, available: string, mustInclude: string, hints: readonly string[]][] = [
  [2, 'abcd', '', ['0 !', '1 !', '01']],
  [2, 'bcd', '', ['1 !', '01']],
  [2, 'bd', '', ['01']],
  [3, 'abcd', '', ['01 !']],
  [1, 'acd', 'a', ['0 !', '01']],
  [4, 'abc', '', []],
]
for (const [needed, available, mustInclude, hints] of cases) {
  test(`${needed} of ${available} with ${mustInclude || 'none'}`, () => {
    assert.deepEqual(shown(needed, available.split(''), mustInclude.split('').filter(Boolean)), hints)
  })
}

test('devices that do not say where they are may come from anywhere', () => {
  const candidates = { mustInclude: [], available: ['x'] }
  const anywhere = [{ id: 'x', isHealthy: true, numaNodes: [] }]
  assert.equal(deviceHints({ nodes: [0, 1], devices: anywhere, candidates, needed: 1 }), undefined)
})

test('the place that was decided on comes first', () => {
  const all = { mustInclude: [], available: ['a', 'b', 'c', 'd'] }
  const near = (needed: number) => nearCandidates(all, { devices, nodes: new Set([1]), needed })
  assert.deepEqual(near(2), { mustInclude: [], available: ['c', 'd'] })
  assert.deepEqual(near(3), { mustInclude: ['c', 'd'], available: ['a', 'b', 'c', 'd'] })
})
