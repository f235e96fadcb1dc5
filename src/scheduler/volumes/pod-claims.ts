import { ephemeralClaimName } from '#api/core/v1/volume-facts.ts'
import type { PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { ClusterObjects } from '../cluster-objects.ts'

/** A claim that a pod names, whether it exists or not. */
export interface PodClaim {
  readonly name: string
  /** Made for this pod alone, from a template in it. */
  readonly isEphemeral: boolean
}

/** The claims of a pod's volumes; those of generic ephemeral volumes are named after pod and volume. */
export function podClaims(pod: Pod): readonly PodClaim[] {
  const { volumes } = pod.spec
  if (volumes === undefined) return none
  const claims: PodClaim[] = []
  for (const { name, persistentVolumeClaim, ephemeral } of volumes) {
    if (persistentVolumeClaim) claims.push({ name: persistentVolumeClaim.claimName, isEphemeral: false })
    else if (ephemeral) claims.push({ name: ephemeralClaimName(pod.metadata.name, name), isEphemeral: true })
  }
  return claims
}

const none: readonly PodClaim[] = Object.freeze([])

/** The claims of a pod that exist. */
export function knownClaims(pod: Pod, objects: ClusterObjects): readonly PersistentVolumeClaim[] {
  return podClaims(pod).flatMap(({ name }) => objects.claims.get(name, pod.metadata.namespace) ?? [])
}

/** The binder has finished: claim and volume name each other. */
export function isFullyBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return (spec.volumeName ?? '') !== '' && metadata.annotations?.['pv.kubernetes.io/bind-completed'] !== undefined
}

export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node'

/** A claim that is bound only once a pod that uses it has a node. */
export function waitsForPod({ spec }: PersistentVolumeClaim, { storageClasses }: ClusterObjects): boolean {
  if ((spec.volumeName ?? '') !== '') return false
  return storageClasses.get(spec.storageClassName ?? '')?.volumeBindingMode === 'WaitForFirstConsumer'
}
