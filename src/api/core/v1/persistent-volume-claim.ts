import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, immutableField, invalidValue } from '../../meta/field-errors.ts'
import { keepStatus } from '../../meta/keep-status.ts'
import { compareQuantities } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import { unifiedDiff } from '../../meta/unified-diff.ts'
import { writeNull } from '../../meta/write-null.ts'
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../types/core.v1.ts'
import { coreForm } from './internal-types.ts'
import { validateClaimSpec } from './validate-claim-spec.ts'
import { validateClaimStatus } from './validate-claim-status.ts'
import { claimStorageClass, classAnnotation, formatAccessModes } from './volume-facts.ts'
import { claimWarnings } from './volume-warnings.ts'

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
  validate: ({ spec }) => validateClaimSpec(spec, 'spec'),
  validateUpdate: (now, old) => [...validateClaimSpec(now.spec, 'spec'), ...validateClaimUpdate(now, old)],
  validateStatusUpdate: validateClaimStatus,
  warnings: claimWarnings,
  cells: claimCells,
  deleteReturnsObject: true,
})

function setClaimDefaults(draft: Draft<PersistentVolumeClaim>): void {
  const spec = (draft.spec ??= {})
  spec.volumeMode ??= 'Filesystem'
  // Sources in other namespaces are not enabled.
  delete spec.dataSourceRef?.namespace
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

/** A claim is settled, but for its size and class of attributes once it is bound, and a class it did not have yet. */
function validateClaimUpdate(now: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors = validateClassAnnotation(now, old)
  const settled = { ...old.spec, volumeName: old.spec.volumeName || now.spec.volumeName }
  const wanted = withOldParts(now, old)
  const [left, right] = [settled, wanted].map((spec) => coreForm.text('ClaimSpec', spec))
  if (!deepEqual(wanted, settled) && left !== right) {
    const rule =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    errors.push(forbiddenField('spec', `${rule}\n${unifiedDiff(left ?? '', right ?? '')}`))
  }
  errors.push(...validateSize(now, old))
  if (now.spec.volumeMode !== old.spec.volumeMode) {
    errors.push(invalidValue('volumeMode', now.spec.volumeMode ?? null, immutableField))
  }
  return [...errors, ...validateAttributesClass(now, old)]
}

function withOldParts(now: PersistentVolumeClaim, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const isBound = now.status?.phase === 'Bound'
  const { spec } = now
  const storage = old.spec.resources?.requests?.['storage']
  const requests = spec.resources?.requests
  return {
    ...spec,
    ...(mayGainClass(now, old) && { storageClassName: undefined }),
    ...(isBound && { volumeAttributesClassName: old.spec.volumeAttributesClassName }),
    ...(isBound &&
      requests !== undefined && {
        resources: { ...spec.resources, requests: { ...requests, ...(storage !== undefined && { storage }) } },
      }),
  }
}

function classNamed({ metadata }: PersistentVolumeClaim): string | undefined {
  return metadata.annotations?.[classAnnotation]
}

/** A claim that had no class, or had it in an annotation, may get it in the field. */
function mayGainClass(now: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const wanted = now.spec.storageClassName
  if (wanted === undefined || old.spec.storageClassName !== undefined) return false
  const before = classNamed(old)
  return before === undefined || before === wanted
}

/** The annotation may go only when the field takes its place. */
function validateClassAnnotation(now: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const [after, before] = [classNamed(now), classNamed(old)]
  const moves = before !== undefined && mayGainClass(now, old) && (after === undefined || after === before)
  if (moves || (after ?? '') === (before ?? '')) return []
  return [invalidValue(`metadata.annotations.${classAnnotation}`, after ?? '', immutableField)]
}

/** A size may go back as far as the volume has not grown yet. */
function validateSize(
  { spec: now }: PersistentVolumeClaim,
  { spec: old, status }: PersistentVolumeClaim,
): FieldError[] {
  const wanted = now.resources?.requests?.['storage'] ?? '0'
  const before = old.resources?.requests?.['storage'] ?? '0'
  const held = status?.capacity?.['storage'] ?? '0'
  if (compareQuantities(wanted, before) >= 0 || compareQuantities(wanted, held) > 0) return []
  return [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')]
}

function validateAttributesClass({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const wanted = spec.volumeAttributesClassName
  if (wanted === old.spec.volumeAttributesClassName) return []
  if (old.status?.currentVolumeAttributesClassName === undefined || (wanted ?? '') !== '') return []
  const value = wanted === undefined ? 'nil' : 'empty string'
  const detail = `update to ${value} is forbidden when status.currentVolumeAttributesClassName is not nil`
  return [forbiddenField('spec.volumeAttributesClassName', detail)]
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
