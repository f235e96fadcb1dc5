import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, Taint, Toleration } from '#api/types/core.v1.ts'
import { evictionTimeMs } from './decide.ts'

const nowMs = Date.parse('2026-01-01T00:05:00Z')
const taint: Taint = { key: 'a', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }
const exists = (more: Partial<Toleration> = {}): Toleration => ({ key: 'a', operator: 'Exists', ...more })

const cases: readonly [
  name: string,
  tolerations: readonly Toleration[],
  taints: readonly Taint[],
  seconds: number | undefined,
][] = [
  ['no taint', [], [], undefined],
  ['a taint that only keeps pods away', [], [{ ...taint, effect: 'NoSchedule' }], undefined],
  ['not tolerated', [], [taint], 0],
  ['tolerated for ever', [exists()], [taint], undefined],
  ['tolerated for a time, from when the taint came', [exists({ tolerationSeconds: 400 })], [taint], 100],
  ['the shortest of several counts', [exists(), exists({ tolerationSeconds: 360 })], [taint], 60],
  ['one of two taints not tolerated', [exists()], [taint, { ...taint, key: 'b' }], 0],
  ['a negative time is none', [exists({ tolerationSeconds: -5 })], [{ key: 'a', effect: 'NoExecute' }], 0],
]

for (const [name, tolerations, taints, seconds] of cases) {
  test(name, () => {
    const pod = { spec: { tolerations } } as unknown as Pod
    const expected = seconds === undefined ? undefined : nowMs + seconds * 1_000
    assert.equal(evictionTimeMs(pod, taints, nowMs), expected)
  })
}
