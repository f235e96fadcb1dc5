import type { Deployment, ReplicaSet } from '#api/types/apps.v1.ts'
import { desiredReplicas, isRollingUpdate, rollingLimits } from '#api/apps/v1/deployment-facts.ts'
import { byAge, replicasOf, sumOf } from './rollout-facts.ts'

/** A ReplicaSet and the number of replicas it is to have. */
export interface Scaling {
  readonly replicaSet: ReplicaSet
  readonly replicas: number
}

/** The number of replicas for the current ReplicaSet: as many more as the surge allows, or at once fewer. */
export function currentReplicas(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
): number {
  const desired = desiredReplicas(deployment)
  const now = replicasOf(current)
  if (!isRollingUpdate(deployment) || now >= desired) return desired
  const room = desired + rollingLimits(deployment).maxSurge - sumOf(sets, replicasOf)
  return room <= 0 ? now : now + Math.min(room, desired - now)
}

/**
 * How far the old ReplicaSets may shrink now. First pods that are not available anyway, then available ones, as long
 * as `desired - maxUnavailable` stay available. Unavailable pods of the current ReplicaSet count as about to come.
 */
export function shrinkOld(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  current: ReplicaSet | undefined,
): readonly Scaling[] {
  const all = current === undefined ? old : [...old, current]
  const minAvailable = desiredReplicas(deployment) - rollingLimits(deployment).maxUnavailable
  const currentUnavailable = replicasOf(current) - (current?.status?.availableReplicas ?? 0)
  const budget = sumOf(all, replicasOf) - minAvailable - currentUnavailable
  if (budget <= 0) return []
  const sizes = new Map(byAge(old).map((set) => [set, replicasOf(set)]))
  const left = dropUnavailable(sizes, budget)
  dropAvailable(sizes, Math.min(left, sumOf(all, availableOf) - minAvailable))
  return [...sizes]
    .filter(([set, replicas]) => replicas !== replicasOf(set))
    .map(([replicaSet, replicas]) => ({ replicaSet, replicas }))
}

/** A set that was just made smaller may still report the pods that it is about to lose: those count no more. */
function availableOf(set: ReplicaSet): number {
  return Math.min(replicasOf(set), set.status?.availableReplicas ?? 0)
}

/** What is left of the budget. */
function dropUnavailable(sizes: Map<ReplicaSet, number>, budget: number): number {
  let left = budget
  for (const [set, size] of sizes) {
    const drop = Math.min(left, Math.max(0, size - (set.status?.availableReplicas ?? 0)))
    sizes.set(set, size - drop)
    left -= drop
  }
  return left
}

function dropAvailable(sizes: Map<ReplicaSet, number>, budget: number): void {
  let left = budget
  for (const [set, size] of sizes) {
    if (left <= 0) return
    const drop = Math.min(left, size)
    sizes.set(set, size - drop)
    left -= drop
  }
}
