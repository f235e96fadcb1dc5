import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import {
  duplicate,
  immutableField,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { CSIDriver, TokenRequest } from '../../types/storage.v1.ts'

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  hasGeneration: false,
  setDefaults: setDriverDefaults,
  /** Counted from the first change on: a new driver has no generation. */
  prepareForUpdate({ metadata, spec }, old) {
    const isSame = changeable.every((field) => deepEqual(spec[field], old.spec[field]))
    if (!isSame) metadata.generation = (old.metadata.generation ?? 0) + 1
  },
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

const changeable = [
  'tokenRequests',
  'requiresRepublish',
  'seLinuxMount',
  'storageCapacity',
  'podInfoOnMount',
  'nodeAllocatableUpdatePeriodSeconds',
] as const

const maxNameLength = 63

/** A driver's name is a domain, in whichever case. */
export function validateDriverName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  const errors = invalidForEach(path, name, dnsSubdomain(name.toLowerCase()))
  if (name.length <= maxNameLength) return errors
  return [tooLong(path, maxNameLength), ...errors]
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
  const period = spec.nodeAllocatableUpdatePeriodSeconds
  if (period !== undefined && period < minPeriodSeconds) {
    const detail = `must be greater than or equal to ${minPeriodSeconds} seconds`
    errors.push(invalidValue('spec.nodeAllocatableUpdatePeriodSeconds', period, detail))
  }
  return [...errors, ...validateTokenRequests(spec.tokenRequests ?? [], 'spec.tokenRequests')]
}

const minPeriodSeconds = 10
const minTokenSeconds = 600
const maxTokenSeconds = 2 ** 32

function validateTokenRequests(requests: readonly TokenRequest[], path: string): FieldError[] {
  const audiences = requests.map(({ audience }) => audience)
  return requests.flatMap(({ audience, expirationSeconds: seconds }, index) => {
    const at = `${path}[${index}]`
    const errors = audiences.indexOf(audience) < index ? [duplicate(`${at}.audience`, audience)] : []
    if (seconds === undefined) return errors
    const detail = 'may not specify a duration'
    if (seconds < minTokenSeconds) {
      errors.push(invalidValue(`${at}.expirationSeconds`, seconds, `${detail} less than 10 minutes`))
    }
    if (seconds > maxTokenSeconds) {
      errors.push(invalidValue(`${at}.expirationSeconds`, seconds, `${detail} larger than 2^32 seconds`))
    }
    return errors
  })
}

function validateDriverUpdate({ spec: now }: CSIDriver, { spec: old }: CSIDriver): FieldError[] {
  return (['attachRequired', 'volumeLifecycleModes'] as const)
    .filter((field) => !deepEqual(now[field], old[field]))
    .map((field) => invalidValue(`spec.${field}`, now[field] ?? null, immutableField))
}
