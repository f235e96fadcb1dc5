import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../types/core.v1.ts'

/** Annotation that named the class of a volume or a claim before the field did. */
export const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** They mark the storage class that claims get which name none. */
export const defaultStorageClassAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
] as const

/** The storage class of a claim: none is told apart from the empty one, which asks for a volume without a class. */
export function claimStorageClass({ metadata, spec }: PersistentVolumeClaim): string | undefined {
  return metadata.annotations?.[classAnnotation] ?? spec.storageClassName
}

export function volumeStorageClass({ metadata, spec }: PersistentVolume): string {
  return metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? ''
}

const shortModes: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]

/** `RWO,ROX`, in one order whatever the order of the modes. */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  return shortModes
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

/** The claims that the pod's volumes name, those made for the pod alone included (KEP-1698). */
export function podClaimNames({ metadata, spec }: Pod): readonly string[] {
  const names: string[] = []
  for (const volume of spec.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) names.push(volume.persistentVolumeClaim.claimName)
    else if (volume.ephemeral !== undefined) names.push(ephemeralClaimName(metadata.name, volume.name))
  }
  return names
}

/** The name of the claim that is made for a pod's ephemeral volume. */
export function ephemeralClaimName(pod: string, volume: string): string {
  return `${pod}-${volume}`
}
