import { claimStorageClass, volumeStorageClass } from '#api/core/v1/volume-facts.ts'
import { matcherOf } from '#api/meta/labels.ts'
import { compareQuantities } from '#api/meta/quantity.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '#api/types/core.v1.ts'

/** Whether the volume's reference names the claim: by uid once it is bound, by name alone while it is only reserved. */
export function refersTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec
  if (claimRef?.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return !claimRef.uid || claimRef.uid === metadata.uid
}

/** Why the claim cannot have the volume, or undefined if it can. */
export function mismatch(claim: PersistentVolumeClaim, volume: PersistentVolume): string | undefined {
  // Who reserves a volume for a claim need not give both a class.
  const isReserved = refersTo(volume, claim)
  const wanted = claim.spec.resources?.requests?.['storage'] ?? '0'
  if (compareQuantities(volume.spec.capacity?.['storage'] ?? '0', wanted) < 0) return 'requested PV is too small'
  if (!isReserved && volumeStorageClass(volume) !== (claimStorageClass(claim) ?? ''))
    return 'storageClassName does not match'
  if ((volume.spec.volumeMode ?? 'Filesystem') !== (claim.spec.volumeMode ?? 'Filesystem')) {
    return 'incompatible volumeMode'
  }
  if ((volume.spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? '')) {
    return 'volumeAttributesClassName does not match'
  }
  const modes = volume.spec.accessModes ?? []
  return (claim.spec.accessModes ?? []).every((mode) => modes.includes(mode)) ? undefined : 'incompatible accessMode'
}

/** The volume reserved for the claim, else the smallest free one that fits, unless only a reserved one may be taken. */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  options: { readonly onlyReserved: boolean },
): PersistentVolume | undefined {
  const selector = claim.spec.selector === undefined ? undefined : matcherOf(claim.spec.selector)
  const fitting = volumes.filter(
    (volume) => volume.metadata.deletionTimestamp === undefined && mismatch(claim, volume) === undefined,
  )
  const reserved = fitting.find((volume) => volume.spec.claimRef !== undefined && refersTo(volume, claim))
  if (reserved !== undefined || options.onlyReserved) return reserved
  return fitting
    .filter(({ metadata, spec, status }) => {
      return (
        spec.claimRef === undefined && status?.phase === 'Available' && selector?.matches(metadata.labels) !== false
      )
    })
    .toSorted(smallFirst)[0]
}

function smallFirst(a: PersistentVolume, b: PersistentVolume): number {
  const bySize = compareQuantities(a.spec.capacity?.['storage'] ?? '0', b.spec.capacity?.['storage'] ?? '0')
  return bySize || (a.metadata.name < b.metadata.name ? -1 : 1)
}
