import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { controllerOf } from '#api/meta/owner.ts'
import type { Deployment, ReplicaSet } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { revisionOf } from './annotations.ts'
import { currentReplicas, shrinkOld, type Scaling } from './rolling-update.ts'
import { desiredReplicas } from '#api/apps/v1/deployment-facts.ts'
import { replicasOf, revisionHistoryLimit } from './rollout-facts.ts'

/**
 * The next step of a rolling update: grow the current ReplicaSet if it may grow, otherwise shrink the old ones. Never
 * both at once, so that each step starts from what the last one has led to.
 */
export function decideRollingStep(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): readonly Scaling[] {
  if (current !== undefined) {
    const replicas = currentReplicas(deployment, [...old, current], current)
    if (replicas !== replicasOf(current)) return [{ replicaSet: current, replicas }]
  }
  return shrinkOld(deployment, old, current)
}

/** A recreation's first step: every old ReplicaSet to nothing. */
export function decideRecreateShrink(old: readonly ReplicaSet[]): readonly Scaling[] {
  return old.filter((set) => replicasOf(set) > 0).map((replicaSet) => ({ replicaSet, replicas: 0 }))
}

/** A recreation's last step: the current ReplicaSet to its full size. */
export function decideRecreateGrow(deployment: Deployment, current: ReplicaSet | undefined): readonly Scaling[] {
  const replicas = desiredReplicas(deployment)
  return current === undefined || replicasOf(current) === replicas ? [] : [{ replicaSet: current, replicas }]
}

/** Whether a pod of an old template may still run: terminating ones count until they are gone or finished. */
export function oldPodsRun(current: ReplicaSet | undefined, old: readonly ReplicaSet[], pods: readonly Pod[]): boolean {
  if (old.some((set) => (set.status?.replicas ?? 0) > 0)) return true
  return pods.some((pod) => controllerOf(pod)?.uid !== current?.metadata.uid && !isPodTerminal(pod))
}

/** Old ReplicaSets beyond the revision history limit that have no pods, lowest revisions first. */
export function decideCleanup(deployment: Deployment, old: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const limit = revisionHistoryLimit(deployment)
  if (limit === undefined) return []
  const alive = old.filter((set) => set.metadata.deletionTimestamp === undefined)
  return alive
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, alive.length - limit))
    .filter((set) => replicasOf(set) === 0 && (set.status?.replicas ?? 0) === 0 && isObserved(set))
}

function isObserved({ metadata, status }: ReplicaSet): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
}
