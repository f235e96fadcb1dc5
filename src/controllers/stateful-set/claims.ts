import { isDeepStrictEqual } from 'node:util'
import { controllerReference } from '#api/meta/owner.ts'
import type { New } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { StatefulSet } from '#api/types/apps.v1.ts'
import type { PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { OwnerReference } from '#api/types/meta.v1.ts'
import { persistentVolumeClaims } from '#api/types/resources.ts'
import type { ControllerContext } from '#reconcile/controller.ts'
import { messageOf } from '../pod-from-template.ts'
import { claimsFor } from './identity.ts'

/** Makes the claims of a pod that do not exist yet, before the pod. */
export async function ensureClaims(
  context: ControllerContext,
  set: StatefulSet,
  podName: string,
  ordinal: number,
): Promise<void> {
  for (const claim of claimsFor(set, ordinal)) await ensureClaim(context, set, podName, claim)
}

async function ensureClaim(
  { client, informers, events }: ControllerContext,
  set: StatefulSet,
  podName: string,
  claim: New<PersistentVolumeClaim>,
): Promise<void> {
  const { namespace, name: setName } = set.metadata
  const { name = '' } = claim.metadata
  if (informers.of(persistentVolumeClaims).get(name, namespace) !== undefined) return
  const what = `create Claim ${name} Pod ${podName} in StatefulSet ${setName}`
  try {
    await client.resource(persistentVolumeClaims, namespace).create(claim)
    events.record(set, 'Normal', 'SuccessfulCreate', `${what} success`)
  } catch (error) {
    if (isStatusError(error, 'AlreadyExists')) return
    events.record(set, 'Warning', 'FailedCreate', `${what} failed error: ${messageOf(error)}`)
    throw error
  }
}

/**
 * Has the claims of a pod belong to whoever's end is to be theirs, as the set's retention policy says now: the pod that
 * scaling takes away, the set, or nobody. Owners that others have added stay.
 */
export async function keepClaimOwners(
  { client, informers }: ControllerContext,
  set: StatefulSet,
  pod: Pod,
  { ordinal, isCondemned }: { readonly ordinal: number; readonly isCondemned: boolean },
): Promise<void> {
  const { namespace } = set.metadata
  for (const { metadata } of claimsFor(set, ordinal)) {
    const claim = informers.of(persistentVolumeClaims).get(metadata.name ?? '', namespace)
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) continue
    const ownerReferences = claimOwners(claim, set, pod, isCondemned)
    if (isDeepStrictEqual(ownerReferences, claim.metadata.ownerReferences ?? [])) continue
    await client
      .resource(persistentVolumeClaims, namespace)
      .update({ ...claim, metadata: { ...claim.metadata, ownerReferences } })
  }
}

/** The owners that a claim of the pod must have. */
export function claimOwners(
  { metadata }: Pick<PersistentVolumeClaim, 'metadata'>,
  set: StatefulSet,
  pod: Pod,
  isCondemned: boolean,
): readonly OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {}
  const goesWithPod = whenScaled === 'Delete' && isCondemned
  const goesWithSet = whenDeleted === 'Delete' && !goesWithPod
  const isOurs = ({ kind, name, uid }: OwnerReference): boolean =>
    uid === set.metadata.uid || uid === pod.metadata.uid || (kind === 'Pod' && name === pod.metadata.name)
  const others = (metadata.ownerReferences ?? []).filter((reference) => !isOurs(reference))
  if (goesWithPod) return [...others, { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid }]
  return goesWithSet ? [...others, controllerReference(set)] : others
}
