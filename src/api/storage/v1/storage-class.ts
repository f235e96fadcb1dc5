import { defaultStorageClassAnnotations } from '../../core/v1/volume-facts.ts'
import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import {
  immutableField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { StorageClass } from '../../types/storage.v1.ts'
import { sortedMap } from '../../meta/validate-labels.ts'
import { validateTopologies } from './validate-topologies.ts'

export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  hasGeneration: false,
  setDefaults(draft) {
    draft.reclaimPolicy ??= 'Delete'
    draft.volumeBindingMode ??= 'Immediate'
  },
  validate: validateStorageClass,
  validateUpdate: validateStorageClassUpdate,
  cells: (storageClass, nowMs) => [
    isDefaultClass(storageClass) ? `${storageClass.metadata.name} (default)` : storageClass.metadata.name,
    storageClass.provisioner,
    storageClass.reclaimPolicy ?? 'Delete',
    storageClass.volumeBindingMode ?? 'Immediate',
    storageClass.allowVolumeExpansion ?? false,
    ageOf(storageClass.metadata.creationTimestamp, nowMs),
  ],
  deleteReturnsObject: true,
})

/** Claims that name no class get this one. */
function isDefaultClass({ metadata }: StorageClass): boolean {
  return defaultStorageClassAnnotations.some((name) => metadata.annotations?.[name] === 'true')
}

function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const { provisioner, reclaimPolicy, volumeBindingMode, parameters } = storageClass
  const errors = [...validateProvisioner(provisioner, 'provisioner'), ...validateParameters(parameters, 'parameters')]
  const policies = ['Delete', 'Retain']
  if (reclaimPolicy !== undefined && !policies.includes(reclaimPolicy)) {
    errors.push(notSupported('reclaimPolicy', reclaimPolicy, policies))
  }
  const modes = ['Immediate', 'WaitForFirstConsumer']
  if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'))
  else if (!modes.includes(volumeBindingMode)) errors.push(notSupported('volumeBindingMode', volumeBindingMode, modes))
  return [...errors, ...validateTopologies(storageClass.allowedTopologies ?? [], 'allowedTopologies')]
}

const maxParameters = 512
const maxParameterBytes = 256 * 1024

/** Parameters of a driver: how many, and how large all together. */
export function validateParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const entries = Object.entries(parameters ?? {})
  if (entries.length > maxParameters) return [tooLong(path, maxParameters)]
  const errors = entries.some(([key]) => key === '') ? [invalidValue(path, '', 'field can not be empty.')] : []
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  return bytes > maxParameterBytes ? [...errors, tooLong(path, maxParameterBytes)] : errors
}

export function validateProvisioner(provisioner: string, path: string): FieldError[] {
  if (provisioner === '') return [required(path)]
  const name = provisioner.toLowerCase()
  return invalidForEach(path, provisioner, qualifiedName(name))
}

function validateStorageClassUpdate(now: StorageClass, old: StorageClass): FieldError[] {
  const errors: FieldError[] = []
  if (!deepEqual(now.parameters, old.parameters)) {
    errors.push(invalidValue('parameters', sortedMap(now.parameters), immutableField))
  }
  for (const field of ['provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const) {
    if (now[field] === old[field]) continue
    errors.push(invalidValue(field, now[field] ?? null, immutableField))
  }
  return errors
}
