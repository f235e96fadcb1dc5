import { defineKind } from '../../kind.ts'
import { nonNegative } from '../../meta/check-numbers.ts'
import { orNone } from '../../meta/cells.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidValue, required } from '../../meta/field-errors.ts'
import { controllerOf } from '../../meta/owner.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ControllerRevision } from '../../types/apps.v1.ts'

export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  hasGeneration: false,
  validate: validateRevision,
  validateUpdate: (now, old) =>
    deepEqual(now.data, old.data) ? [] : [invalidValue('data', now.data ?? null, immutableField)],
  cells: (revision, nowMs) => [
    revision.metadata.name,
    orNone(controllerName(revision)),
    revision.revision,
    ageOf(revision.metadata.creationTimestamp, nowMs),
  ],
})

function validateRevision({ data, revision }: ControllerRevision): FieldError[] {
  const errors = nonNegative(revision, 'revision')
  return data === undefined ? [...errors, required('data', 'data is mandatory')] : errors
}

/** `statefulset.apps/web` */
function controllerName(revision: ControllerRevision): string {
  const owner = controllerOf(revision)
  if (owner === undefined) return ''
  const [group = '', version] = owner.apiVersion.split('/')
  const kind = owner.kind.toLowerCase()
  return `${version === undefined ? kind : `${kind}.${group}`}/${owner.name}`
}
