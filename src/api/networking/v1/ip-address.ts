import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { immutableField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import { dnsSubdomain, pathSegment } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateIp } from '../../meta/validate-ip.ts'
import type { IPAddress, ParentReference } from '../../types/networking.v1.ts'
import { canonicalIp } from '../../meta/canonical-ip.ts'

export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  hasGeneration: false,
  nameRule: 'pathSegment',
  validate: ({ metadata, spec }) => [
    ...validateName(metadata.name, 'metadata.name'),
    ...validateParent(spec.parentRef, 'spec.parentRef'),
  ],
  validateUpdate: ({ spec: now }, { spec: old }) =>
    deepEqual(now.parentRef, old.parentRef)
      ? []
      : [invalidValue('spec.parentRef', parentForMessage(now.parentRef), immutableField)],
  cells: ({ metadata, spec }) => [metadata.name, parentCell(spec.parentRef)],
})

function parentCell(parent: ParentReference | undefined): string {
  if (parent === undefined) return '<none>'
  const { group = '', resource, namespace = '', name } = parent
  return [group === '' ? resource : `${resource}.${group}`, namespace, name].filter((part) => part !== '').join('/')
}

/** The name is the address, in the one form it is compared in. */
function validateName(name: string, path: string): FieldError[] {
  const errors = validateIp(name, path)
  if (errors.length > 0) return errors
  const canonical = canonicalIp(name)
  return canonical === name ? [] : [invalidValue(path, name, `must be in canonical form ("${canonical}")`)]
}

function parentForMessage(parent: ParentReference | undefined): object | null {
  if (parent === undefined) return null
  const { group = '', resource, namespace = '', name } = parent
  return { Group: group, Resource: resource, Namespace: namespace, Name: name }
}

function validateParent(parent: ParentReference | undefined, path: string): FieldError[] {
  if (parent === undefined) return [required(path)]
  const { group = '', resource, namespace = '', name } = parent
  const needed = (field: string, value: string | undefined): FieldError[] =>
    !value ? [required(`${path}.${field}`)] : invalidForEach(`${path}.${field}`, value, pathSegment(value))
  return [
    ...(group === '' ? [] : invalidForEach(`${path}.group`, group, dnsSubdomain(group))),
    ...needed('resource', resource),
    ...needed('name', name),
    ...(namespace === '' ? [] : needed('namespace', namespace)),
  ]
}
