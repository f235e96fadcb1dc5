import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { FlowSchema } from '../../types/flowcontrol.v1.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import { validateFlowRule } from './validate-flow-rule.ts'

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
  const level = priorityLevelConfiguration?.name ?? ''
  const levelPath = 'spec.priorityLevelConfiguration.name'
  if (level === '') errors.push(required(levelPath, 'must reference a priority level'))
  else errors.push(...invalidForEach(levelPath, level, dnsSubdomain(level)))
  return [...errors, ...rules.flatMap((rule, index) => validateFlowRule(rule, `spec.rules[${index}]`))]
}
