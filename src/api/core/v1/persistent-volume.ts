import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import type { PersistentVolume } from '../../types/core.v1.ts'
import { validateVolumeUpdate } from './validate-volume-change.ts'
import { validateMountOptions, validatePersistentVolume } from './validate-persistent-volume.ts'
import { formatAccessModes, volumeStorageClass } from './volume-facts.ts'
import { volumeWarnings } from './volume-warnings.ts'

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  hasGeneration: false,
  setDefaults: setVolumeDefaults,
  prepareForCreate(draft) {
    draft.status = { phase: 'Pending', lastPhaseTransitionTime: draft.metadata.creationTimestamp }
  },
  validate: (volume) => [...validatePersistentVolume(volume), ...validateMountOptions(volume)],
  validateUpdate: (now, old) => [...validatePersistentVolume(now), ...validateVolumeUpdate(now, old)],
  warnings: volumeWarnings,
  cells: volumeCells,
  deleteReturnsObject: true,
})

function setVolumeDefaults(draft: Draft<PersistentVolume>): void {
  const spec = (draft.spec ??= {})
  spec.persistentVolumeReclaimPolicy ||= 'Retain'
  spec.volumeMode ??= 'Filesystem'
  if (spec.hostPath !== undefined) spec.hostPath.type ??= ''
  if (spec.iscsi !== undefined) spec.iscsi.iscsiInterface ||= 'default'
  if (spec.rbd !== undefined) {
    spec.rbd.pool ||= 'rbd'
    spec.rbd.user ||= 'admin'
    spec.rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (spec.azureDisk !== undefined) {
    spec.azureDisk.cachingMode ??= 'ReadWrite'
    spec.azureDisk.kind ??= 'Shared'
    spec.azureDisk.fsType ??= 'ext4'
    spec.azureDisk.readOnly ??= false
  }
  if (spec.scaleIO !== undefined) {
    spec.scaleIO.storageMode ||= 'ThinProvisioned'
    spec.scaleIO.fsType ||= 'xfs'
  }
  const status = (draft.status ??= {})
  status.phase ??= 'Pending'
}

function volumeCells(volume: PersistentVolume, nowMs: number): readonly unknown[] {
  const { metadata, spec, status } = volume
  const claim = spec.claimRef
  return [
    metadata.name,
    spec.capacity?.['storage'] ?? '0',
    formatAccessModes(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    claim === undefined ? '' : `${claim.namespace ?? ''}/${claim.name ?? ''}`,
    volumeStorageClass(volume),
    spec.volumeAttributesClassName ?? '<unset>',
    status?.reason ?? '',
    ageOf(metadata.creationTimestamp, nowMs),
    spec.volumeMode ?? '<unset>',
  ]
}
