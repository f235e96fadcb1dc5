import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { immutableField, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { CSIDriver } from '../../types/storage.v1.ts'

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  hasGeneration: false,
  setDefaults: setDriverDefaults,
  validate: validateDriver,
  validateUpdate: validateDriverUpdate,
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    (spec.tokenRequests ?? []).map(({ audience }) => audience).join(',') || '<unset>',
    spec.requiresRepublish ?? false,
    (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
  deleteReturnsObject: true,
})

function setDriverDefaults(draft: Draft<CSIDriver>): void {
  const spec = (draft.spec ??= {})
  spec.attachRequired ??= true
  spec.podInfoOnMount ??= false
  spec.storageCapacity ??= false
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent']
  spec.requiresRepublish ??= false
  spec.seLinuxMount ??= false
}

const maxNameLength = 63

/** A driver's name is a domain, in whichever case. */
export function validateDriverName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  const errors = invalidForEach(path, name, dnsSubdomain(name.toLowerCase()))
  if (name.length <= maxNameLength) return errors
  return [
    { type: 'FieldValueTooLong', field: path, message: `Too long: may not be more than ${maxNameLength} bytes` },
    ...errors,
  ]
}

function validateDriver({ metadata, spec }: CSIDriver): FieldError[] {
  const errors = validateDriverName(metadata.name, 'metadata.name')
  const modes = ['Persistent', 'Ephemeral']
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!modes.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, modes))
  }
  const policies = ['ReadWriteOnceWithFSType', 'File', 'None']
  if (spec.fsGroupPolicy !== undefined && !policies.includes(spec.fsGroupPolicy)) {
    errors.push(notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, policies))
  }
  const audiences = (spec.tokenRequests ?? []).map(({ audience }) => audience)
  for (const [index, audience] of audiences.entries()) {
    if (audiences.indexOf(audience) === index) continue
    const message = `Duplicate value: ${JSON.stringify(audience)}`
    errors.push({ type: 'FieldValueDuplicate', field: `spec.tokenRequests[${index}].audience`, message })
  }
  return errors
}

function validateDriverUpdate({ spec: now }: CSIDriver, { spec: old }: CSIDriver): FieldError[] {
  return (['attachRequired', 'volumeLifecycleModes'] as const)
    .filter((field) => !deepEqual(now[field], old[field]))
    .map((field) => invalidValue(`spec.${field}`, now[field] ?? null, immutableField))
}
