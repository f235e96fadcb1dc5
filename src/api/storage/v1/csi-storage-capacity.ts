import { defineKind } from '../../kind.ts'
import { nameAndCreation } from '../../meta/cells.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { immutableField, invalidForEach, invalidValue } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import { compareQuantities } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateLabelSelector } from '../../meta/validate-labels.ts'
import type { CSIStorageCapacity } from '../../types/storage.v1.ts'

export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  hasGeneration: false,
  validate: validateCapacity,
  validateUpdate: (now, old) =>
    (['nodeTopology', 'storageClassName'] as const)
      .filter((field) => !deepEqual(now[field], old[field]))
      .map((field) => invalidValue(field, now[field] ?? null, immutableField)),
  cells: nameAndCreation,
  requiresResourceVersion: true,
})

function validateCapacity({
  nodeTopology,
  storageClassName,
  capacity,
  maximumVolumeSize,
}: CSIStorageCapacity): FieldError[] {
  const errors = validateLabelSelector(nodeTopology, 'nodeTopology')
  errors.push(...invalidForEach('storageClassName', storageClassName, dnsSubdomain(storageClassName)))
  for (const [field, quantity] of Object.entries({ capacity, maximumVolumeSize })) {
    if (quantity === undefined || compareQuantities(quantity, '0') >= 0) continue
    errors.push(invalidValue(field, quantity, 'must be greater than or equal to 0'))
  }
  return errors
}
