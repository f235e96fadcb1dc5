import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { FlowSchema, PolicyRulesWithSubjects, Subject } from '../../types/flowcontrol.v1.ts'

export const flowSchema = defineKind<FlowSchema>({
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  hasGeneration: true,
  setDefaults(draft) {
    const spec = (draft.spec ??= { priorityLevelConfiguration: { name: '' } })
    spec.matchingPrecedence ||= defaultPrecedence
  },
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: validateSchema,
  cells: ({ metadata, spec, status }, nowMs) => [
    metadata.name,
    spec.priorityLevelConfiguration?.name ?? '<none>',
    spec.matchingPrecedence ?? 0,
    spec.distinguisherMethod?.type ?? '<none>',
    ageOf(metadata.creationTimestamp, nowMs),
    status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ],
})

const defaultPrecedence = 1000
const maxPrecedence = 10_000

function validateSchema({ metadata, spec }: FlowSchema): FieldError[] {
  const { matchingPrecedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec
  const errors: FieldError[] = []
  const path = 'spec.matchingPrecedence'
  if (matchingPrecedence <= 0) errors.push(invalidValue(path, matchingPrecedence, 'must be a positive value'))
  if (matchingPrecedence > maxPrecedence) {
    errors.push(invalidValue(path, matchingPrecedence, `must not be greater than ${maxPrecedence}`))
  }
  if (matchingPrecedence === 1 && metadata.name !== 'exempt') {
    errors.push(invalidValue(path, matchingPrecedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
  }
  const methods = ['ByNamespace', 'ByUser']
  if (distinguisherMethod !== undefined && !methods.includes(distinguisherMethod.type)) {
    errors.push(notSupported('spec.distinguisherMethod.type', { Type: distinguisherMethod.type }, methods))
  }
  if ((priorityLevelConfiguration?.name ?? '') === '') {
    errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
  }
  return [...errors, ...rules.flatMap((rule, index) => validateRule(rule, `spec.rules[${index}]`))]
}

function validateRule(
  { subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if ((subjects ?? []).length === 0)
    errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'))
  for (const [index, subject] of (subjects ?? []).entries()) {
    errors.push(...validateSubject(subject, `${path}.subjects[${index}]`))
  }
  if ((resourceRules ?? []).length === 0 && (nonResourceRules ?? []).length === 0) {
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  for (const [index, { verbs, apiGroups, resources }] of (resourceRules ?? []).entries()) {
    const lists = { verbs, apiGroups, resources }
    for (const [field, list] of Object.entries(lists)) {
      if ((list ?? []).length > 0) continue
      const at = `${path}.resourceRules[${index}].${field}`
      const what =
        field === 'apiGroups'
          ? 'resource rules must supply at least one api group'
          : `${field} must contain at least one value`
      errors.push(required(at, field === 'resources' ? 'resource rules must supply at least one resource' : what))
    }
  }
  return errors
}

const parts = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function validateSubject(subject: Subject, path: string): FieldError[] {
  if (!(subject.kind in parts)) {
    return [notSupported(`${path}.kind`, subject.kind, ['Group', 'ServiceAccount', 'User'])]
  }
  const part = parts[subject.kind as keyof typeof parts]
  if (subject[part] !== undefined) return subject[part].name === '' ? [required(`${path}.${part}.name`)] : []
  return [required(`${path}.${part}`, `${part} is required when subject kind is '${subject.kind}'`)]
}
