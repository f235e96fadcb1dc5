import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { podClaimNames } from '#api/core/v1/volume-facts.ts'
import { attachmentName, uniqueVolumeName } from '#api/storage/v1/attachment-name.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/types/core.v1.ts'
import type { CSIDriver } from '#api/types/storage.v1.ts'

/** A volume that has to be attached to a node before its pods can have it. */
export interface AttachableVolume {
  /** Of the persistent volume. */
  readonly name: string
  readonly attacher: string
  /** What the node's status calls it. */
  readonly uniqueName: string
  /** Of its VolumeAttachment at this node. */
  readonly attachment: string
  /** It may be attached to one node only. */
  readonly isExclusive: boolean
  /** The pods of this node that want it. */
  readonly pods: readonly Pod[]
}

export interface VolumeLookUp {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  driver(name: string): CSIDriver | undefined
}

/** What the pods of a node want attached to it, by the name of the attachment. */
export function attachableVolumes(
  pods: readonly Pod[],
  nodeName: string,
  lookUp: VolumeLookUp,
): ReadonlyMap<string, AttachableVolume> {
  const wanted = new Map<string, AttachableVolume>()
  for (const pod of pods.filter((each) => !isPodTerminal(each))) {
    for (const volume of volumesOf(pod, lookUp)) {
      const described = describe(volume, nodeName, lookUp)
      if (described === undefined) continue
      const known = wanted.get(described.attachment)
      wanted.set(described.attachment, { ...described, pods: [...(known?.pods ?? []), pod] })
    }
  }
  return wanted
}

/** The persistent volumes that the pod's claims are bound to. */
export function volumesOf(pod: Pod, lookUp: VolumeLookUp): readonly PersistentVolume[] {
  const namespace = pod.metadata.namespace ?? ''
  return podClaimNames(pod).flatMap((name) => {
    const claim = lookUp.claim(namespace, name)
    const volume = claim?.spec.volumeName ? lookUp.volume(claim.spec.volumeName) : undefined
    return volume !== undefined && volume.spec.claimRef?.uid === claim?.metadata.uid ? [volume] : []
  })
}

function describe(
  { metadata, spec }: PersistentVolume,
  nodeName: string,
  lookUp: VolumeLookUp,
): Omit<AttachableVolume, 'pods'> | undefined {
  if (spec.csi === undefined || lookUp.driver(spec.csi.driver)?.spec.attachRequired === false) return undefined
  const id = { driver: spec.csi.driver, handle: spec.csi.volumeHandle }
  const modes = spec.accessModes ?? []
  return {
    name: metadata.name,
    attacher: id.driver,
    uniqueName: uniqueVolumeName(id),
    attachment: attachmentName(id, nodeName),
    isExclusive: modes.length > 0 && !modes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany'),
  }
}
