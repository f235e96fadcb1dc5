import { defineKind } from '../../kind.ts'
import type { Draft, Kind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsSubdomain, pathSegment } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ClusterRoleBinding, RoleBinding, Subject } from '../../types/rbac.v1.ts'

type Binding = RoleBinding | ClusterRoleBinding

export const roleBinding = bindingKind('RoleBinding', ['Role', 'ClusterRole'])
export const clusterRoleBinding = bindingKind('ClusterRoleBinding', ['ClusterRole'])

const rbacGroup = 'rbac.authorization.k8s.io'

function bindingKind(kind: Binding['kind'], roleKinds: readonly string[]): Kind {
  return defineKind<Binding>({
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    kind,
    hasGeneration: false,
    nameRule: 'pathSegment',
    setDefaults: setBindingDefaults,
    validate: (binding) => validateBinding(binding, roleKinds),
    validateUpdate: ({ roleRef: now }, { roleRef: old }) =>
      deepEqual(now, old)
        ? []
        : [
            invalidValue(
              'roleRef',
              { APIGroup: now.apiGroup, Kind: now.kind, Name: now.name },
              'cannot change roleRef',
            ),
          ],
    cells: bindingCells,
    createOnUpdate: true,
  })
}

function setBindingDefaults(draft: Draft<Binding>): void {
  const roleRef = (draft.roleRef ??= { kind: '', name: '' })
  roleRef.apiGroup ||= rbacGroup
  for (const subject of draft.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup
  }
}

function validateBinding({ roleRef, subjects }: Binding, roleKinds: readonly string[]): FieldError[] {
  const { apiGroup = '', kind, name } = roleRef ?? {}
  const errors: FieldError[] = []
  if (apiGroup !== rbacGroup) errors.push(notSupported('roleRef.apiGroup', apiGroup, [rbacGroup]))
  if (!roleKinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, roleKinds))
  if (name === '') errors.push(required('roleRef.name'))
  else errors.push(...invalidForEach('roleRef.name', name, pathSegment(name)))
  return [...errors, ...(subjects ?? []).flatMap((subject, index) => validateSubject(subject, `subjects[${index}]`))]
}

const subjectKinds = ['ServiceAccount', 'User', 'Group']

function validateSubject({ kind, name, namespace = '', apiGroup = '' }: Subject, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (name === '') errors.push(required(`${path}.name`))
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...invalidForEach(`${path}.name`, name, dnsSubdomain(name)))
    if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']))
    if (namespace === '') errors.push(required(`${path}.namespace`))
  } else if (!subjectKinds.includes(kind)) errors.push(notSupported(`${path}.kind`, kind, subjectKinds))
  else {
    if (name === '') errors.push(invalidValue(`${path}.name`, name, `${kind.toLowerCase()} name cannot be empty`))
    if (apiGroup !== rbacGroup) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [rbacGroup]))
  }
  return errors
}

function bindingCells({ metadata, roleRef, subjects = [] }: Binding, nowMs: number): readonly unknown[] {
  const names = (kind: string): string[] => subjects.filter((subject) => subject.kind === kind).map(({ name }) => name)
  const accounts = subjects.filter(({ kind }) => kind === 'ServiceAccount')
  return [
    metadata.name,
    `${roleRef.kind}/${roleRef.name}`,
    ageOf(metadata.creationTimestamp, nowMs),
    names('User').join(', '),
    names('Group').join(', '),
    accounts.map(({ name, namespace = '' }) => `${namespace}/${name}`).join(', '),
  ]
}
