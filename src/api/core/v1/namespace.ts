import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidForEach, invalidValue } from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import { keepStatus } from '../../meta/keep-status.ts'
import type { FieldError } from '../../meta/status.ts'
import type { Namespace } from '../../types/core.v1.ts'

const kubernetesFinalizer = 'kubernetes'

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  hasGeneration: false,
  nameRule: 'dnsLabel',
  setDefaults: setNameLabel,
  prepareForCreate(draft) {
    draft.status = { phase: 'Active' }
    const finalizers = draft.spec?.finalizers ?? []
    if (!finalizers.includes(kubernetesFinalizer)) finalizers.push(kubernetesFinalizer)
    draft.spec = { ...draft.spec, finalizers }
  },
  /** Finalizers of the spec change through `/finalize` only. */
  prepareForUpdate(draft, old) {
    if (old.spec?.finalizers === undefined) delete draft.spec?.finalizers
    else draft.spec = { ...draft.spec, finalizers: [...old.spec.finalizers] }
    keepStatus(draft, old)
  },
  validate: ({ spec }) => (spec?.finalizers ?? []).flatMap((name) => validateFinalizer(name, 'spec.finalizers')),
  validateStatusUpdate: validatePhase,
  cells: ({ metadata, status }, nowMs) => [
    metadata.name,
    status?.phase ?? '',
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  selectableFields: ({ metadata, status }) => ({ name: metadata.name, 'status.phase': status?.phase ?? '' }),
})

/** Every namespace carries its name as a label, so that selectors can name it. */
function setNameLabel(draft: Draft<Namespace>): void {
  const { name } = draft.metadata
  if (name === undefined || name === '') return
  draft.metadata.labels = { ...draft.metadata.labels, 'kubernetes.io/metadata.name': name }
}

function validatePhase({ metadata, status }: Namespace): FieldError[] {
  const wanted = metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating'
  if (status?.phase === wanted) return []
  const detail =
    wanted === 'Active'
      ? "may only be 'Active' if `deletionTimestamp` is empty"
      : "may only be 'Terminating' if `deletionTimestamp` is not empty"
  return [invalidValue('status.Phase', status?.phase ?? '', detail)]
}

/** A name of Kubernetes' own, or one with a domain. */
function validateFinalizer(name: string, path: string): FieldError[] {
  const errors = invalidForEach(path, name, qualifiedName(name))
  if (name.includes('/') || standardFinalizers.includes(name)) return errors
  return [...errors, invalidValue(path, name, 'name is neither a standard finalizer name nor is it fully qualified')]
}

const standardFinalizers = [kubernetesFinalizer, 'orphan', 'foregroundDeletion']

/** Errors of a PUT of `/finalize`. */
export function validateFinalize({ spec }: Namespace): FieldError[] {
  return (spec?.finalizers ?? []).flatMap((name, index) => validateFinalizer(name, `spec.finalizers[${index}]`))
}
