import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { forbiddenField, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { VolumeAttributesClass } from '../../types/storage.v1.ts'
import { validateParameters, validateProvisioner } from './storage-class.ts'

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  hasGeneration: false,
  validate: ({ driverName, parameters }) => {
    const errors = validateProvisioner(driverName, 'driverName')
    errors.push(...validateParameters(parameters, 'parameters'))
    if (Object.keys(parameters ?? {}).length === 0)
      errors.push(required('parameters', 'must contain at least one key/value pair'))
    return errors
  },
  validateUpdate: validateClassUpdate,
  cells: ({ metadata, driverName }, nowMs) => [metadata.name, driverName, ageOf(metadata.creationTimestamp, nowMs)],
  deleteReturnsObject: true,
})

function validateClassUpdate(now: VolumeAttributesClass, old: VolumeAttributesClass): FieldError[] {
  const errors: FieldError[] = []
  if (now.driverName !== old.driverName) {
    errors.push(forbiddenField('driverName', 'updates to driverName are forbidden.'))
  }
  if (!deepEqual(now.parameters, old.parameters)) {
    errors.push(forbiddenField('parameters', 'updates to parameters are forbidden.'))
  }
  return errors
}
