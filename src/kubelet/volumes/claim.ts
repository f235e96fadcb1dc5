import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '#api/types/core.v1.ts'
import { persistentVolumeClaims, persistentVolumes } from '#api/types/resources.ts'
import { VolumeProcessError } from './volume-errors.ts'
import type { PodObjects } from '../objects/pod-objects.ts'

/** What a volume claims is not there yet, or not the pod's. */
class ClaimError extends VolumeProcessError {
  constructor(claim: string, why: string) {
    super(`error processing PVC ${claim}: ${why}`)
    this.name = 'ClaimError'
  }
}

export interface ClaimRequest {
  readonly pod: Pod
  readonly volume: Volume
  readonly objects: PodObjects
}

export interface BoundVolume {
  readonly persistent: PersistentVolume
  readonly claim: PersistentVolumeClaim
  /** By the volume's own word in the pod. */
  readonly readOnly: boolean
}

/** The claim that a volume of a pod names; a generic ephemeral one is named after both (KEP-1698). */
export function claimNameOf(pod: Pod, volume: Volume): string {
  return volume.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume.name}`
}

/** The persistent volume that the pod's claim is bound to. Throws `ClaimError` while there is none. */
export async function boundVolume({ pod, volume, objects }: ClaimRequest): Promise<BoundVolume> {
  const name = claimNameOf(pod, volume)
  const refuse = (why: string): ClaimError => new ClaimError(`${pod.metadata.namespace ?? ''}/${name}`, why)
  const claim = await objects.lookUp(persistentVolumeClaims, name)
  if (claim === undefined)
    throw refuse(`failed to fetch PVC from API server: persistentvolumeclaims "${name}" not found`)
  const refusal = claimRefusal(pod, volume, claim)
  if (refusal !== undefined) throw refuse(refusal)
  const volumeName = claim.spec.volumeName ?? ''
  const persistent = await objects.lookUp(persistentVolumes, volumeName)
  if (persistent === undefined)
    throw refuse(`failed to fetch PV ${volumeName} from API server: persistentvolumes "${volumeName}" not found`)
  const mismatch = volumeMismatch(claim, persistent)
  if (mismatch !== undefined) throw refuse(mismatch)
  return { persistent, claim, readOnly: volume.persistentVolumeClaim?.readOnly === true }
}

/** Why the claim gives the pod nothing, if so. */
function claimRefusal(pod: Pod, volume: Volume, claim: PersistentVolumeClaim): string | undefined {
  const { metadata, spec, status } = claim
  if (volume.ephemeral !== undefined) {
    const isOwn = (metadata.ownerReferences ?? []).some((owner) => owner.controller && owner.uid === pod.metadata.uid)
    const [claimName, podName] = [metadata, pod.metadata].map((each) => `${each.namespace ?? ''}/${each.name}`)
    if (!isOwn) return `PVC ${claimName} was not created for pod ${podName} (pod is not owner)`
  }
  if (metadata.deletionTimestamp !== undefined) return 'PVC is being deleted'
  if (status?.phase !== 'Bound') return 'PVC is not bound'
  return spec.volumeName === undefined || spec.volumeName === '' ? 'PVC has empty pvc.Spec.VolumeName' : undefined
}

function volumeMismatch(claim: PersistentVolumeClaim, { metadata, spec }: PersistentVolume): string | undefined {
  const owner = spec?.claimRef
  if (owner === undefined)
    return `found PV object ${metadata.name} with nil pvc.Spec.ClaimRef indicating it is not yet bound to the claim`
  if (owner.uid === claim.metadata.uid) return undefined
  return `found PV object ${metadata.name} with a pvc.Spec.ClaimRef.UID ${owner.uid} that does not point to the claim ${claim.metadata.name}`
}
