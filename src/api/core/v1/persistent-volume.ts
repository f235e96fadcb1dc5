import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import {
  forbiddenField,
  immutableField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
} from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import { compareQuantities, quantityValue } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import type { PersistentVolume, PersistentVolumeSpec } from '../../types/core.v1.ts'
import { present } from './pod/validate-volume-files.ts'
import { validateHostPath, validateNfs } from './pod/validate-volume.ts'
import { validateAccessModes } from './validate-access-modes.ts'
import { validateNodeSelector } from './validate-node-selector.ts'
import { formatAccessModes, volumeStorageClass } from './volume-facts.ts'

export const persistentVolume = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  hasGeneration: false,
  setDefaults: setVolumeDefaults,
  prepareForCreate(draft) {
    draft.status = { phase: 'Pending', lastPhaseTransitionTime: draft.metadata.creationTimestamp }
  },
  validate: ({ spec }) => validateVolumeSpec(spec),
  validateUpdate: validateVolumeUpdate,
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

const reclaimPolicies = ['Delete', 'Recycle', 'Retain']

function validateVolumeSpec(spec: PersistentVolumeSpec): FieldError[] {
  const errors = [
    ...validateAccessModes(spec.accessModes, '', 'spec.accessModes'),
    ...validateCapacity(spec.capacity, 'spec.capacity'),
  ]
  const policy = spec.persistentVolumeReclaimPolicy ?? ''
  if (policy !== '' && !reclaimPolicies.includes(policy)) {
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, reclaimPolicies))
  }
  if (spec.nodeAffinity !== undefined) {
    const { required: hard } = spec.nodeAffinity
    const path = 'spec.nodeAffinity.required'
    errors.push(...(hard === undefined ? [required(path)] : validateNodeSelector(hard, path)))
  }
  errors.push(...validateSources(spec))
  if (spec.hostPath?.path === '/' && policy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'"
    errors.push(forbiddenField('spec.persistentVolumeReclaimPolicy', detail))
  }
  const { storageClassName = '', volumeMode } = spec
  if (storageClassName !== '') {
    errors.push(...invalidForEach('spec.storageClassName', storageClassName, dnsSubdomain(storageClassName)))
  }
  if (volumeMode !== undefined && volumeMode !== 'Block' && volumeMode !== 'Filesystem') {
    errors.push(notSupported('spec.volumeMode', volumeMode, ['Block', 'Filesystem']))
  }
  return errors
}

function validateCapacity(capacity: PersistentVolumeSpec['capacity'], path: string): FieldError[] {
  const entries = Object.entries(capacity ?? {})
  const errors: FieldError[] = []
  if (entries.length === 0) errors.push(required(path))
  if (capacity?.['storage'] === undefined || entries.length > 1) {
    errors.push(notSupported(path, capacity ?? null, ['storage']))
  }
  for (const [name, quantity] of entries) {
    const at = `${path}[${name}]`
    const order = compareQuantities(quantity, '0')
    if (order < 0) errors.push(invalidValue(at, quantityValue(quantity), 'must be a valid resource quantity'))
    if (order <= 0) errors.push(invalidValue(at, quantity, 'must be greater than zero'))
  }
  return errors
}

/** In the order of the API server: the first source present is checked, each further one is refused. */
const sources = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'flocker',
  'nfs',
  'rbd',
  'quobyte',
  'cephfs',
  'iscsi',
  'cinder',
  'fc',
  'flexVolume',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'scaleIO',
  'local',
  'storageos',
  'csi',
] as const

function validateSources(spec: PersistentVolumeSpec): FieldError[] {
  const given = sources.filter((name) => spec[name] !== undefined)
  const [first, ...others] = given
  if (first === undefined) return [required('spec', 'must specify a volume type')]
  const refused = others.map((name) => forbiddenField(`spec.${name}`, 'may not specify more than 1 volume type'))
  return [...validateSource(spec, `spec.${first}`), ...refused]
}

function validateSource({ hostPath, nfs, csi, local, nodeAffinity }: PersistentVolumeSpec, path: string): FieldError[] {
  if (path === 'spec.hostPath' && hostPath !== undefined) return validateHostPath(hostPath, path)
  if (path === 'spec.nfs' && nfs !== undefined) return validateNfs(nfs, path)
  if (path === 'spec.csi' && csi !== undefined) {
    return present({ driver: csi.driver, volumeHandle: csi.volumeHandle }, path)
  }
  if (path !== 'spec.local' || local === undefined) return []
  const errors = present({ path: local.path }, path)
  if (nodeAffinity === undefined) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'))
  return errors
}

function validateVolumeUpdate({ spec: now }: PersistentVolume, { spec: old }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = []
  if (sources.some((name) => !deepEqual(now[name], old[name]))) {
    const detail = 'spec.persistentvolumesource is immutable after creation'
    errors.push(forbiddenField('spec.persistentvolumesource', detail))
  }
  if (now.volumeMode !== old.volumeMode) {
    errors.push(invalidValue('spec.volumeMode', now.volumeMode ?? null, immutableField))
  }
  if (old.nodeAffinity !== undefined && !deepEqual(now.nodeAffinity, old.nodeAffinity)) {
    errors.push(invalidValue('spec.nodeAffinity', now.nodeAffinity ?? null, immutableField))
  }
  return errors
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
