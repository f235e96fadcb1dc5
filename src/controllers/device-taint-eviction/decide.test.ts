import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeviceTaint, DeviceToleration, ResourceClaim, ResourceSlice } from '#api/types/resource.v1.ts'
import { evictionTimeMs } from './decide.ts'

const addedMs = Date.parse('2026-01-01T00:00:00Z')
const nowMs = addedMs + 60_000
const taint: DeviceTaint = { key: 'broken', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }

function slice(taints: readonly DeviceTaint[], generation = 1): ResourceSlice {
  const spec = {
    driver: 'gpu',
    pool: { name: 'p', generation, resourceSliceCount: 1 },
    devices: [{ name: 'd', taints }],
  }
  return { spec } as unknown as ResourceSlice
}

function claim(tolerations: readonly DeviceToleration[] = [], device = 'd'): ResourceClaim {
  const results = [{ request: 'r', driver: 'gpu', pool: 'p', device, tolerations }]
  return { status: { allocation: { devices: { results } } } } as unknown as ResourceClaim
}

const exists = (tolerationSeconds?: number): DeviceToleration => {
  return { key: 'broken', operator: 'Exists', ...(tolerationSeconds !== undefined && { tolerationSeconds }) }
}

const cases: readonly [
  name: string,
  claim: ResourceClaim,
  slices: readonly ResourceSlice[],
  expected: number | undefined,
][] = [
  ['no taint', claim(), [slice([])], undefined],
  ['one that only keeps new pods away', claim(), [slice([{ ...taint, effect: 'NoSchedule' }])], undefined],
  ['not tolerated', claim(), [slice([taint])], addedMs],
  ['tolerated for ever', claim([exists()]), [slice([taint])], undefined],
  ['tolerated for a time', claim([exists(90)]), [slice([taint])], addedMs + 90_000],
  ['another device', claim([], 'other'), [slice([taint])], undefined],
  ['gone in a newer generation of the pool', claim(), [slice([taint]), slice([], 2)], undefined],
]

for (const [name, own, slices, expected] of cases) {
  test(`a device's taint evicts: ${name}`, () => assert.equal(evictionTimeMs(own, slices, nowMs), expected))
}
