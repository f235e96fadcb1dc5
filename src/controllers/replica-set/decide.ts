import { isPodActive, isPodAvailable, isPodReady, isPodTerminal, podCondition } from '#api/core/v1/pod-facts.ts'
import { removeCondition, setCondition } from '#api/meta/conditions.ts'
import { hasLabels, type Labels } from '#api/meta/labels.ts'
import type { ReplicaSetCondition, ReplicaSetStatus } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { rankForDeletion } from './rank.ts'

/** Most pods created or deleted in one go; the next round goes on. */
const burst = 500

/** What a ReplicaSet and a ReplicationController have in common. */
export interface ReplicaGoal {
  readonly replicas: number
  readonly minReadySeconds: number
  readonly templateLabels: Labels
  readonly isLeaving: boolean
}

export interface ReplicaChanges {
  readonly create: number
  readonly delete: readonly Pod[]
}

/** How many pods to create, or which to delete, so that `replicas` are active. `related` gives all pods of the workload. */
export function decideReplicas(
  goal: ReplicaGoal,
  owned: readonly Pod[],
  related: () => readonly Pod[],
  nowMs: number,
): ReplicaChanges {
  if (goal.isLeaving) return { create: 0, delete: [] }
  const active = owned.filter(isPodActive)
  const missing = goal.replicas - active.length
  if (missing >= 0) return { create: Math.min(missing, burst), delete: [] }
  const count = Math.min(-missing, burst)
  const ranked = count < active.length ? rankForDeletion(active, related(), nowMs) : active
  return { create: 0, delete: ranked.slice(0, count) }
}

export interface StatusInput {
  readonly goal: ReplicaGoal
  readonly generation: number | undefined
  readonly old: ReplicaSetStatus | undefined
  readonly owned: readonly Pod[]
  /** Why the last round could not create or delete all it wanted. */
  readonly failure: { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly message: string } | undefined
  readonly nowMs: number
}

/** The status that the pods make true. */
export function decideStatus({ goal, generation, old, owned, failure, nowMs }: StatusInput): ReplicaSetStatus {
  const active = owned.filter(isPodActive)
  const terminating = owned.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod))
  const conditions = conditionsAfter(old?.conditions, failure, nowMs)
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => hasLabels(pod.metadata.labels, goal.templateLabels)).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, goal.minReadySeconds, nowMs)).length,
    terminatingReplicas: terminating.length,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(conditions.length === 0 ? {} : { conditions }),
  }
}

function conditionsAfter(
  old: readonly ReplicaSetCondition[] | undefined,
  failure: StatusInput['failure'],
  nowMs: number,
): readonly ReplicaSetCondition[] {
  if (failure === undefined) return removeCondition(old, 'ReplicaFailure')
  const known = old?.find((condition) => condition.type === 'ReplicaFailure')
  // Messages name generated pods; a new one for the same reason is no news.
  if (old !== undefined && known?.reason === failure.reason && known.status === 'True') return old
  return setCondition(old, { type: 'ReplicaFailure', status: 'True', ...failure }, formatTime(nowMs))
}

/** Milliseconds until the next ready pod has been ready long enough to be available; undefined when none waits for that. */
export function nextAvailabilityMs(goal: ReplicaGoal, owned: readonly Pod[], nowMs: number): number | undefined {
  if (goal.minReadySeconds <= 0) return undefined
  const waits = owned.filter(isPodActive).flatMap((pod) => {
    const ready = podCondition(pod, 'Ready')
    if (ready?.status !== 'True' || ready.lastTransitionTime === undefined) return []
    const waitMs = Date.parse(ready.lastTransitionTime) + goal.minReadySeconds * 1_000 - nowMs
    return waitMs > 0 ? [waitMs] : []
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}

const counts = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'terminatingReplicas',
  'observedGeneration',
] as const

/** Whether writing the status would change nothing; an absent count is 0. */
export function isSameStatus(old: ReplicaSetStatus | undefined, next: ReplicaSetStatus): boolean {
  if (!counts.every((count) => (old?.[count] ?? 0) === (next[count] ?? 0))) return false
  return old?.conditions === next.conditions || (old?.conditions ?? []).length + (next.conditions ?? []).length === 0
}
