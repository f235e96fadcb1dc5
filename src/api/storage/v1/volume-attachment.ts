import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { VolumeAttachment } from '../../types/storage.v1.ts'
import { validateDriverName } from './csi-driver.ts'

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  hasGeneration: false,
  prepareForCreate: (draft) => void (draft.status = { attached: false }),
  validate: validateAttachment,
  validateUpdate: (now, old) => (deepEqual(now.spec, old.spec) ? [] : [invalidValue('spec', now.spec, immutableField)]),
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.attacher,
    spec.source.persistentVolumeName ?? '',
    spec.nodeName,
    status?.attached ?? false,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
  deleteReturnsObject: true,
})

function validateAttachment({ spec }: VolumeAttachment): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName } = spec.source ?? {}
  const errors = validateDriverName(spec.attacher, 'spec.attacher')
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) {
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'))
  } else if (persistentVolumeName === '') {
    errors.push(required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'))
  }
  if (spec.nodeName === '') errors.push(required('spec.nodeName'))
  return errors
}
