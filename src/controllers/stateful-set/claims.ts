import type { New } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { StatefulSet } from '#api/types/apps.v1.ts'
import type { PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
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

/** Where the set says so, ties the claims of a pod that scaling takes away to that pod, so that they go with it. */
export async function condemnClaims(
  { client, informers }: ControllerContext,
  set: StatefulSet,
  pod: Pod,
  ordinal: number,
): Promise<void> {
  if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return
  const { namespace, name, uid } = pod.metadata
  for (const { metadata } of claimsFor(set, ordinal)) {
    const claim = informers.of(persistentVolumeClaims).get(metadata.name ?? '', namespace)
    if (claim === undefined || claim.metadata.ownerReferences?.some((reference) => reference.uid === uid)) continue
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name, uid }]
    await client
      .resource(persistentVolumeClaims, namespace)
      .update({ ...claim, metadata: { ...claim.metadata, ownerReferences } })
  }
}
