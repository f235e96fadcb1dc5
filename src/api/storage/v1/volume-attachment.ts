import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, immutableField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { VolumeAttachment, VolumeAttachmentSource, VolumeAttachmentSpec } from '../../types/storage.v1.ts'
import { validateDriverName } from './csi-driver.ts'
import { dnsSubdomain } from '../../meta/names.ts'

export const volumeAttachment = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  hasGeneration: false,
  prepareForCreate: (draft) => void (draft.status = { attached: false }),
  validate: validateAttachment,
  validateUpdate: (now, old) =>
    deepEqual(now.spec, old.spec) ? [] : [invalidValue('spec', specForMessage(now.spec), immutableField)],
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
  const { persistentVolumeName: volume } = spec.source ?? {}
  return [
    ...(spec.attacher === '' ? [required('spec.attacher')] : []),
    ...validateSource(spec.source ?? {}, 'spec.source'),
    ...invalidForEach('spec.nodeName', spec.nodeName, dnsSubdomain(spec.nodeName)),
    ...validateDriverName(spec.attacher, 'spec.attacher'),
    ...(volume === undefined ? [] : invalidForEach('spec.source.persistentVolumeName', volume, dnsSubdomain(volume))),
  ]
}

function validateSource(
  { inlineVolumeSpec, persistentVolumeName }: VolumeAttachmentSource,
  path: string,
): FieldError[] {
  const detail = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) return [required(path, detail)]
  if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) return [forbiddenField(path, detail)]
  if (persistentVolumeName !== '') return []
  return [required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName')]
}

function specForMessage({ attacher, source, nodeName }: VolumeAttachmentSpec): object {
  const { persistentVolumeName = null, inlineVolumeSpec = null } = source
  return {
    Attacher: attacher,
    Source: { PersistentVolumeName: persistentVolumeName, InlineVolumeSpec: inlineVolumeSpec },
    NodeName: nodeName,
  }
}
