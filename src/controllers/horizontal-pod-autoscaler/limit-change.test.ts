import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HorizontalPodAutoscaler, HPAScalingRules } from '#api/types/autoscaling.v2.ts'
import { limitChange } from './limit-change.ts'
import { ScalingMemory } from './scaling-memory.ts'

const nowMs = 1_000_000

interface Case {
  readonly name: string
  readonly current: number
  readonly wanted: number
  readonly up?: HPAScalingRules
  readonly down?: HPAScalingRules
  /** Recommendations and changes, by how many seconds ago. */
  readonly recommended?: Readonly<Record<number, number>>
  readonly changed?: Readonly<Record<number, number>>
  readonly replicas: number
  readonly reason: string
}

const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds })
const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds })

const cases: readonly Case[] = [
  { name: 'without rules it at most doubles', current: 5, wanted: 40, replicas: 10, reason: 'ScaleUpLimit' },
  { name: 'a small one may grow to four', current: 1, wanted: 9, replicas: 4, reason: 'ScaleUpLimit' },
  { name: 'never above the maximum', current: 15, wanted: 40, replicas: 20, reason: 'TooManyReplicas' },
  { name: 'never below the minimum', current: 4, wanted: 1, replicas: 2, reason: 'TooFewReplicas' },
  {
    name: 'downwards five minutes are remembered',
    current: 8,
    wanted: 3,
    recommended: { 200: 6 },
    replicas: 6,
    reason: 'ScaleDownStabilized',
  },
  { name: 'and no more', current: 8, wanted: 3, recommended: { 400: 6 }, replicas: 3, reason: 'ReadyForNewScale' },
  {
    name: 'upwards as long as the rules say',
    current: 3,
    wanted: 9,
    recommended: { 50: 5 },
    up: { stabilizationWindowSeconds: 60, policies: [percent(900)] },
    replicas: 5,
    reason: 'ScaleUpStabilized',
  },
  {
    name: 'so many pods a minute',
    current: 6,
    wanted: 20,
    up: { policies: [pods(4)] },
    changed: { 30: 1 },
    replicas: 9,
    reason: 'ScaleUpLimit',
  },
  {
    name: 'the policy that lets most',
    current: 6,
    wanted: 20,
    up: { policies: [pods(4), percent(100)] },
    replicas: 12,
    reason: 'ScaleUpLimit',
  },
  {
    name: 'or the one that lets least',
    current: 6,
    wanted: 20,
    up: { selectPolicy: 'Min', policies: [pods(4), percent(100)] },
    replicas: 10,
    reason: 'ScaleUpLimit',
  },
  {
    name: 'or none at all',
    current: 6,
    wanted: 20,
    up: { selectPolicy: 'Disabled' },
    replicas: 6,
    reason: 'ScaleUpLimit',
  },
  {
    name: 'downwards by rules',
    current: 10,
    wanted: 2,
    down: { stabilizationWindowSeconds: 0, policies: [percent(20)] },
    replicas: 8,
    reason: 'ScaleDownLimit',
  },
  {
    name: 'what went in the period counts',
    current: 9,
    wanted: 2,
    down: { stabilizationWindowSeconds: 0, policies: [pods(2)] },
    changed: { 10: -1 },
    replicas: 8,
    reason: 'ScaleDownLimit',
  },
]

for (const { name, current, wanted, up, down, recommended = {}, changed = {}, replicas, reason } of cases) {
  test(name, () => {
    const memory = new ScalingMemory()
    for (const [ago, count] of Object.entries(recommended)) memory.recommend(count, nowMs - Number(ago) * 1_000)
    for (const [ago, by] of Object.entries(changed)) memory.changed(by, nowMs - Number(ago) * 1_000)
    const behavior = up === undefined && down === undefined ? undefined : { scaleUp: up, scaleDown: down }
    const autoscaler = { spec: { minReplicas: 2, maxReplicas: 20, behavior } } as unknown as HorizontalPodAutoscaler
    const change = limitChange({ autoscaler, currentReplicas: current, wantedReplicas: wanted, memory, nowMs })
    assert.equal(change.replicas, replicas)
    assert.ok(change.findings.some((finding) => finding.reason === reason))
  })
}
