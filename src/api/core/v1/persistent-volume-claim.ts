import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { keepStatus } from '../../meta/keep-status.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import { compareQuantities } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import { unifiedDiff } from '../../meta/unified-diff.ts'
import { validateLabelSelector } from '../../meta/validate-labels.ts'
import { writeNull } from '../../meta/write-null.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../types/core.v1.ts'
import { validateAccessModes } from './validate-access-modes.ts'
import { claimStorageClass, formatAccessModes } from './volume-facts.ts'

export const persistentVolumeClaim = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  hasGeneration: false,
  setDefaults: setClaimDefaults,
  prepareForCreate(draft) {
    draft.status = { phase: 'Pending' }
    mirrorDataSource(draft)
  },
  prepareForUpdate(draft, old) {
    keepStatus(draft, old)
    mirrorDataSource(draft)
  },
  validate: ({ spec }) => validateClaimSpec(spec),
  validateUpdate: validateClaimUpdate,
  cells: claimCells,
  deleteReturnsObject: true,
})

function setClaimDefaults(draft: Draft<PersistentVolumeClaim>): void {
  const spec = (draft.spec ??= {})
  spec.volumeMode ??= 'Filesystem'
  const status = (draft.status ??= {})
  status.phase ??= 'Pending'
  for (const condition of status.conditions ?? []) writeNull(condition, 'lastProbeTime', 'lastTransitionTime')
}

/** `dataSource` is the narrower form of `dataSourceRef`: where one is given the other follows. */
function mirrorDataSource({ spec }: Draft<PersistentVolumeClaim>): void {
  if (spec.dataSource !== undefined) spec.dataSourceRef ??= { ...spec.dataSource }
  else if (spec.dataSourceRef !== undefined && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef
    spec.dataSource = source
  }
  for (const source of [spec.dataSource, spec.dataSourceRef]) if (source !== undefined) writeNull(source, 'apiGroup')
}

function validateClaimSpec(spec: PersistentVolumeClaimSpec): FieldError[] {
  const errors = [
    ...validateAccessModes(spec.accessModes, 'at least 1 access mode is required', 'spec.accessModes'),
    ...validateLabelSelector(spec.selector, 'spec.selector'),
  ]
  const storage = spec.resources?.requests?.['storage']
  const path = 'spec.resources[storage]'
  if (storage === undefined) errors.push(required(path))
  else if (compareQuantities(storage, '0') <= 0) errors.push(invalidValue(path, storage, 'must be greater than zero'))
  const { storageClassName = '', volumeMode } = spec
  if (storageClassName !== '') {
    errors.push(...invalidForEach('spec.storageClassName', storageClassName, dnsSubdomain(storageClassName)))
  }
  if (volumeMode !== undefined && volumeMode !== 'Block' && volumeMode !== 'Filesystem') {
    errors.push(notSupported('spec.volumeMode', volumeMode, ['Block', 'Filesystem']))
  }
  return errors
}

/** A claim is settled, but for its size and class of attributes once it is bound, and a class it did not have yet. */
function validateClaimUpdate(now: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const bound = old.status?.phase === 'Bound'
  const { volumeName } = old.spec.volumeName ? old.spec : now.spec
  const allowed: PersistentVolumeClaimSpec = {
    ...now.spec,
    volumeName,
    ...(bound && { resources: old.spec.resources, volumeAttributesClassName: old.spec.volumeAttributesClassName }),
    ...(old.spec.storageClassName === undefined && { storageClassName: undefined }),
  }
  const settled = { ...old.spec, volumeName }
  if (!deepEqual(allowed, settled)) {
    const rule =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    const diff = unifiedDiff(specForMessage(settled), specForMessage(allowed))
    return [forbiddenField('spec', `${rule}\n${diff}`)]
  }
  return bound ? validateResize(now, old) : []
}

function validateResize(
  { spec: now }: PersistentVolumeClaim,
  { spec: old, status }: PersistentVolumeClaim,
): FieldError[] {
  const wanted = now.resources?.requests?.['storage']
  const before = old.resources?.requests?.['storage']
  const held = status?.capacity?.['storage']
  if (wanted === undefined || before === undefined || compareQuantities(wanted, before) >= 0) return []
  if (held !== undefined && compareQuantities(wanted, held) > 0) return []
  return [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')]
}

/** The spec as messages show it: every field by its inner name, absent ones as null. */
function specForMessage(spec: PersistentVolumeClaimSpec): string {
  const { resources, selector } = spec
  const shown = {
    AccessModes: spec.accessModes ?? null,
    Selector: selector ?? null,
    Resources: { Limits: resources?.limits ?? null, Requests: resources?.requests ?? null },
    VolumeName: spec.volumeName ?? '',
    StorageClassName: spec.storageClassName ?? null,
    VolumeMode: spec.volumeMode ?? null,
    DataSource: spec.dataSource ?? null,
    DataSourceRef: spec.dataSourceRef ?? null,
    VolumeAttributesClassName: spec.volumeAttributesClassName ?? null,
  }
  return JSON.stringify(shown, undefined, ' ')
}

function claimCells(claim: PersistentVolumeClaim, nowMs: number): readonly unknown[] {
  const { metadata, spec, status } = claim
  const bound = (spec.volumeName ?? '') !== ''
  return [
    metadata.name,
    metadata.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
    spec.volumeName ?? '',
    bound ? (status?.capacity?.['storage'] ?? '0') : '',
    bound ? formatAccessModes(status?.accessModes) : '',
    claimStorageClass(claim) ?? '',
    spec.volumeAttributesClassName ?? '<unset>',
    ageOf(metadata.creationTimestamp, nowMs),
    spec.volumeMode ?? '<unset>',
  ]
}
