import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { immutableField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import { pathSegment } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateIp } from '../../meta/validate-ip.ts'
import type { IPAddress, ParentReference } from '../../types/networking.v1.ts'

export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  hasGeneration: false,
  nameRule: 'pathSegment',
  validate: ({ metadata, spec }) => [
    ...validateIp(metadata.name, 'metadata.name'),
    ...validateParent(spec.parentRef, 'spec.parentRef'),
  ],
  validateUpdate: ({ spec: now }, { spec: old }) =>
    deepEqual(now.parentRef, old.parentRef) ? [] : [invalidValue('spec.parentRef', now.parentRef, immutableField)],
  cells: ({ metadata, spec }) => [metadata.name, parentCell(spec.parentRef)],
})

function parentCell(parent: ParentReference | undefined): string {
  if (parent === undefined) return '<none>'
  const { group = '', resource, namespace = '', name } = parent
  return [group === '' ? resource : `${resource}.${group}`, namespace, name].filter((part) => part !== '').join('/')
}

function validateParent(parent: ParentReference | undefined, path: string): FieldError[] {
  if (parent === undefined) return [required(path)]
  return (['resource', 'name'] as const).flatMap((field) =>
    (parent[field] ?? '') === ''
      ? [required(`${path}.${field}`)]
      : invalidForEach(`${path}.${field}`, parent[field], pathSegment(parent[field])),
  )
}
