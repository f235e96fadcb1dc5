import { scaledValue } from '../../meta/int-or-string.ts'
import type { Deployment } from '../../types/apps.v1.ts'

/** The annotation that counts the revisions of a Deployment, on it and on its ReplicaSets. */
export const revisionAnnotation = 'deployment.kubernetes.io/revision'

/** Replicas that the Deployment wants. */
export function desiredReplicas({ spec }: Deployment): number {
  return spec.replicas ?? 1
}

export function isRollingUpdate({ spec }: Deployment): boolean {
  return spec.strategy?.type !== 'Recreate'
}

export interface RollingLimits {
  /** Pods above the desired number while a rollout is under way. */
  readonly maxSurge: number
  /** Pods below the desired number. */
  readonly maxUnavailable: number
}

/**
 * Both limits in pods: percentages of the desired number, surge rounded up, unavailability down. When both come out
 * as 0 one pod may be unavailable, or a rollout could not move.
 */
export function rollingLimits(deployment: Deployment): RollingLimits {
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 }
  const wanted = desiredReplicas(deployment)
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? {}
  const surge = scaledValue(maxSurge ?? '25%', wanted, 'up')
  const unavailable = Math.min(scaledValue(maxUnavailable ?? '25%', wanted, 'down'), wanted)
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

/** The rollout of the latest spec is complete: every pod is new, and available. */
export function isRolledOut(deployment: Deployment): boolean {
  const { status, metadata } = deployment
  const wanted = desiredReplicas(deployment)
  return (
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted &&
    (status?.availableReplicas ?? 0) === wanted
  )
}
