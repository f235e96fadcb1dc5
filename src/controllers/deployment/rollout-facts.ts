import { isDeepStrictEqual } from 'node:util'
import type { Deployment, ReplicaSet } from '#api/types/apps.v1.ts'
import type { PodTemplateSpec } from '#api/types/core.v1.ts'

/** Label that tells the pods of one template of a deployment from those of another. */
export const templateHashLabel = 'pod-template-hash'

/** What "no limit" looks like in an int32 field. */
const unlimited = 2_147_483_647

export function replicasOf(replicaSet: ReplicaSet | undefined): number {
  return replicaSet === undefined ? 0 : (replicaSet.spec.replicas ?? 1)
}

/** The sum of a number over ReplicaSets; absent ones count 0. */
export function sumOf(
  sets: readonly (ReplicaSet | undefined)[],
  valueOf: (set: ReplicaSet) => number | undefined,
): number {
  return sets.reduce((sum, set) => sum + (set === undefined ? 0 : (valueOf(set) ?? 0)), 0)
}

/** Milliseconds without progress after which a rollout counts as stuck; undefined: never. */
export function progressDeadlineMs(deployment: Deployment): number | undefined {
  const seconds = deployment.spec.progressDeadlineSeconds
  return seconds === undefined || seconds === unlimited ? undefined : seconds * 1_000
}

export function revisionHistoryLimit(deployment: Deployment): number | undefined {
  const limit = deployment.spec.revisionHistoryLimit
  return limit === undefined || limit === unlimited ? undefined : limit
}

/** The oldest ReplicaSet with the deployment's template: two may have it after a lost race. */
export function findCurrent(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return byAge(sets).find((set) => isSameTemplate(set.spec.template, deployment.spec.template))
}

/** Whether two templates differ in nothing but the hash label. */
export function isSameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return isDeepStrictEqual(withoutHash(a), withoutHash(b))
}

function withoutHash(template: PodTemplateSpec | undefined): object {
  const { [templateHashLabel]: _hash, ...labels } = template?.metadata?.labels ?? {}
  const { creationTimestamp: _created, ...metadata } = (template?.metadata ?? {}) as Record<string, unknown>
  return { ...template, metadata: { ...metadata, labels } }
}

/** Oldest first; names decide between equals, so that the order never depends on chance. */
export function byAge(sets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  return sets.toSorted(
    (a, b) =>
      compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
      compareText(a.metadata.name, b.metadata.name),
  )
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
