import { parseQuantity } from '../../meta/quantity.ts'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../types/core.v1.ts'
import { nodeTermWarnings } from './deprecated-node-labels.ts'
import { classAnnotation } from './volume-facts.ts'

/** Drivers that are gone: what is said of volumes of their types. */
export const goneDrivers = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
} as const

export const shownDriver: Readonly<Record<string, string>> = { storageos: 'storageOS' }

/** A part of a byte cannot be had. */
export function fractionWarnings(quantity: string | undefined, path: string): readonly string[] {
  if (quantity === undefined || parseQuantity(quantity).nanos % 1_000_000_000n === 0n) return []
  return [`${path}: fractional byte value "${quantity}" is invalid, must be an integer`]
}

export function claimSpecWarnings({ resources }: PersistentVolumeClaimSpec, path: string): readonly string[] {
  return (['requests', 'limits'] as const).flatMap((part) =>
    fractionWarnings(resources?.[part]?.['storage'], `${path}.resources.${part}[storage]`),
  )
}

const mountAnnotation = 'volume.beta.kubernetes.io/mount-options'

function annotationWarning(key: string, since: string, field: string): string {
  return `metadata.annotations[${key}]: deprecated since ${since}; use "${field}" attribute instead`
}

export function claimWarnings({ metadata, spec }: PersistentVolumeClaim): readonly string[] {
  const hasClass = metadata.annotations?.[classAnnotation] !== undefined
  return [
    ...(hasClass ? [annotationWarning(classAnnotation, 'v1.8', 'storageClassName')] : []),
    ...claimSpecWarnings(spec, 'spec'),
  ]
}

export function volumeWarnings({ metadata, spec }: PersistentVolume): readonly string[] {
  const warnings: string[] = []
  if (metadata.annotations?.[classAnnotation] !== undefined) {
    warnings.push(annotationWarning(classAnnotation, 'v1.8', 'storageClassName'))
  }
  if (metadata.annotations?.[mountAnnotation] !== undefined) {
    warnings.push(annotationWarning(mountAnnotation, 'v1.31', 'mountOptions'))
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const advice = 'Instead, the recommended approach is to use dynamic provisioning.'
    warnings.push(`spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. ${advice}`)
  }
  for (const [index, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries()) {
    warnings.push(...nodeTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`))
  }
  for (const driver of ['photonPersistentDisk', 'scaleIO', 'storageos', 'glusterfs', 'cephfs', 'rbd'] as const) {
    if (spec[driver] !== undefined) warnings.push(`spec.${shownDriver[driver] ?? driver}: ${goneDrivers[driver]}`)
  }
  return [...warnings, ...fractionWarnings(spec.capacity?.['storage'], 'spec.capacity[storage]')]
}
