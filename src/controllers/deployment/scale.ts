import type { Deployment, ReplicaSet } from '#api/types/apps.v1.ts'
import { desiredAnnotation, maxAnnotation, numberIn, revisionOf } from './annotations.ts'
import type { Scaling } from './rolling-update.ts'
import { desiredReplicas, isRollingUpdate, rollingLimits } from '#api/apps/v1/deployment-facts.ts'
import { compareText, replicasOf, sumOf } from './rollout-facts.ts'

/** Whether `spec.replicas` has changed since a ReplicaSet that has pods was last scaled. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.some((set) => {
    const desired = numberIn(set.metadata.annotations, desiredAnnotation)
    return replicasOf(set) > 0 && desired !== undefined && desired !== desiredReplicas(deployment)
  })
}

/**
 * What a change of `spec.replicas` means while nothing is rolled out: one ReplicaSet takes it all; several, in the
 * middle of a rolling update or of a pause, share it in proportion to their sizes, so that the risk stays spread.
 */
export function decideScaling(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): readonly Scaling[] {
  const desired = desiredReplicas(deployment)
  const single = activeOrLatest(current, old)
  if (single !== undefined) return [{ replicaSet: single, replicas: desired }]
  const active = [...old, ...(current === undefined ? [] : [current])].filter((set) => replicasOf(set) > 0)
  if (isSaturated(deployment, current)) {
    return active.filter((set) => set !== current).map((replicaSet) => ({ replicaSet, replicas: 0 }))
  }
  return isRollingUpdate(deployment) ? shareOut(deployment, active) : []
}

/** The only one with pods; with none at all the current one, or the latest old one. */
function activeOrLatest(current: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet | undefined {
  const active = [...old, ...(current === undefined ? [] : [current])].filter((set) => replicasOf(set) > 0)
  if (active.length > 1) return undefined
  return active[0] ?? current ?? old.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0]
}

/** The current ReplicaSet has all that is desired, and all of it is available. */
function isSaturated(deployment: Deployment, current: ReplicaSet | undefined): boolean {
  if (current === undefined) return false
  const desired = desiredReplicas(deployment)
  return (
    replicasOf(current) === desired &&
    numberIn(current.metadata.annotations, desiredAnnotation) === desired &&
    (current.status?.availableReplicas ?? 0) === desired
  )
}

/**
 * Worked example: 10 desired, surge 3, sets of 5 and 8. Scaled to 15 with surge 5 the total may be 20, so 7 are added:
 * 8 becomes round(8 × 20 / 13) = 12, and 5 becomes round(5 × 20 / 13) = 8. What rounding leaves over goes to the first.
 */
function shareOut(deployment: Deployment, active: readonly ReplicaSet[]): readonly Scaling[] {
  const desired = desiredReplicas(deployment)
  const allowed = desired > 0 ? desired + rollingLimits(deployment).maxSurge : 0
  const toAdd = allowed - sumOf(active, replicasOf)
  const ordered = toAdd > 0 ? active.toSorted(largeAndNewFirst) : active.toSorted(largeAndOldFirst)
  let added = 0
  const sizes = ordered.map((replicaSet) => {
    const share = toAdd === 0 ? 0 : clamp(fractionOf(deployment, replicaSet), toAdd - added)
    added += share
    return { replicaSet, replicas: replicasOf(replicaSet) + share }
  })
  const [first, ...rest] = sizes
  if (first === undefined) return []
  return [{ ...first, replicas: Math.max(0, first.replicas + toAdd - added) }, ...rest]
}

/** Not beyond what is left, in the direction of what is left. */
function clamp(share: number, left: number): number {
  return left > 0 ? Math.min(share, left) : Math.max(share, left)
}

function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const desired = desiredReplicas(deployment)
  const size = replicasOf(set)
  if (desired === 0) return -size
  const before = numberIn(set.metadata.annotations, maxAnnotation) ?? deployment.status?.replicas ?? 0
  if (before === 0) return 0
  return Math.round((size * (desired + rollingLimits(deployment).maxSurge)) / before) - size
}

function largeAndNewFirst(a: ReplicaSet, b: ReplicaSet): number {
  return replicasOf(b) - replicasOf(a) || compareText(b.metadata.creationTimestamp, a.metadata.creationTimestamp)
}

function largeAndOldFirst(a: ReplicaSet, b: ReplicaSet): number {
  return replicasOf(b) - replicasOf(a) || compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp)
}
