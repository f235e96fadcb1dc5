import { boolType, dynType, listOf, nullType, stringType } from '#lib/cel/types.ts'
import { ExpressionScope } from '../../cel/policy-expressions.ts'
import { configurationType, jsonPatchType } from '../../cel/policy-types.ts'
import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateLabelSelector } from '../../meta/validate-labels.ts'
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  ParamKind,
  ValidatingAdmissionPolicy,
  Validation,
} from '../../types/admissionregistration.v1.ts'
import { validateRule } from './validate-rules.ts'
import { setMatchDefaults } from './webhook-defaults.ts'
import { validateAuditKeys, validateVariableNames } from './validate-annotations.ts'
import { validateMatchConditions } from './validate-match-conditions.ts'
import { validateParamKind } from './validate-param-kind.ts'

export const validatingAdmissionPolicy = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  hasGeneration: true,
  setDefaults(draft) {
    const spec = (draft.spec ??= {})
    spec.failurePolicy ??= 'Fail'
    setMatchDefaults(spec.matchConstraints)
  },
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: validateValidatingPolicy,
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    (spec.validations ?? []).length,
    paramKindCell(spec.paramKind),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
})

export const mutatingAdmissionPolicy = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  hasGeneration: true,
  setDefaults(draft) {
    const spec = (draft.spec ??= {})
    spec.failurePolicy ??= 'Fail'
    setMatchDefaults(spec.matchConstraints)
  },
  validate: validateMutatingPolicy,
  cells: ({ metadata, spec }, nowMs) => [
    metadata.name,
    (spec.mutations ?? []).length,
    paramKindCell(spec.paramKind),
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
})

function paramKindCell(kind: ParamKind | undefined): string {
  return kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`
}

function validateCommon(spec: ValidatingAdmissionPolicy['spec'] | MutatingAdmissionPolicy['spec']): FieldError[] {
  const errors: FieldError[] = []
  const { failurePolicy, paramKind, matchConstraints } = spec
  if (failurePolicy === undefined) errors.push(required('spec.failurePolicy'))
  else if (failurePolicy !== 'Fail' && failurePolicy !== 'Ignore') {
    errors.push(notSupported('spec.failurePolicy', failurePolicy, ['Fail', 'Ignore']))
  }
  if (paramKind !== undefined) {
    errors.push(...validateParamKind(paramKind, 'spec.paramKind'))
  }
  if (matchConstraints === undefined) return [...errors, required('spec.matchConstraints')]
  errors.push(...validateMatchResources(matchConstraints, 'spec.matchConstraints'))
  if ((matchConstraints.resourceRules ?? []).length === 0) {
    errors.push(required('spec.matchConstraints.resourceRules'))
  }
  return errors
}

/** What a policy or a binding applies to. */
export function validateMatchResources(match: MatchResources, path: string): FieldError[] {
  const { matchPolicy } = match
  const policies = ['Equivalent', 'Exact']
  return [
    ...(matchPolicy === undefined || policies.includes(matchPolicy)
      ? []
      : [notSupported(`${path}.matchPolicy`, matchPolicy, policies)]),
    ...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${path}.objectSelector`),
    ...(match.resourceRules ?? []).flatMap((rule, index) => validateRule(rule, `${path}.resourceRules[${index}]`)),
    ...(match.excludeResourceRules ?? []).flatMap((rule, index) =>
      validateRule(rule, `${path}.excludeResourceRules[${index}]`),
    ),
  ]
}

function validateValidatingPolicy({ metadata, spec }: ValidatingAdmissionPolicy): FieldError[] {
  const errors = validateCommon(spec)
  const { validations = [], auditAnnotations = [] } = spec
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item'
    errors.push(required('spec.validations', detail), required('spec.auditAnnotations', detail))
  }
  const scope = scopeOf(spec)
  errors.push(...validateConditions(spec, scope), ...declareVariables(spec, scope))
  errors.push(
    ...validations.flatMap((one, index) => validateValidation(one, `spec.validations[${index}]`, scope)),
    ...auditAnnotations.flatMap(({ valueExpression }, index) =>
      expressionErrors(valueExpression, `spec.auditAnnotations[${index}].valueExpression`, scope, [
        stringType,
        nullType,
      ]),
    ),
    ...validateAuditKeys(auditAnnotations, metadata.name, 'spec.auditAnnotations'),
  )
  return errors
}

type PolicySpec = ValidatingAdmissionPolicy['spec'] | MutatingAdmissionPolicy['spec']

function scopeOf({ paramKind }: PolicySpec, mutates = false): ExpressionScope {
  return new ExpressionScope({ params: paramKind === undefined ? undefined : dynType, mutates })
}

function declareVariables({ variables = [] }: PolicySpec, scope: ExpressionScope): FieldError[] {
  const errors = validateVariableNames(variables, 'spec.variables')
  if (errors.length > 0) return errors
  return variables.flatMap(({ name, expression }, index) => {
    const problem = scope.declare({ name, expression })
    return problem === undefined || expression.trim() === ''
      ? []
      : [invalidValue(`spec.variables[${index}].expression`, expression, problem)]
  })
}

/** Conditions are asked before the policy, and do not see its variables. */
function validateConditions({ matchConditions = [] }: PolicySpec, scope: ExpressionScope): FieldError[] {
  return validateMatchConditions(matchConditions, 'spec.matchConditions', (expression, path) =>
    expressionErrors(expression, path, scope, [boolType]),
  )
}

function expressionErrors(
  expression: string,
  path: string,
  scope: ExpressionScope,
  wanted: Parameters<ExpressionScope['errorsOf']>[2],
): FieldError[] {
  return expression.trim() === '' ? [] : scope.errorsOf(path, expression, wanted)
}

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']

function validateValidation(
  { expression, message, messageExpression = '', reason }: Validation,
  path: string,
  scope: ExpressionScope,
): FieldError[] {
  const errors: FieldError[] = []
  if (expression.trim() === '') errors.push(required(`${path}.expression`, 'expression is not specified'))
  else errors.push(...scope.errorsOf(`${path}.expression`, expression, [boolType]))
  errors.push(...expressionErrors(messageExpression, `${path}.messageExpression`, scope, [stringType]))
  if (message !== undefined && message.trim() === '') {
    errors.push(invalidValue(`${path}.message`, message, 'message must be non-empty if specified'))
  } else if (message?.includes('\n')) {
    errors.push(invalidValue(`${path}.message`, message, 'message must not contain line breaks'))
  }
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, reasons))
  return errors
}

function validateMutatingPolicy({ spec }: MutatingAdmissionPolicy): FieldError[] {
  const errors = validateCommon(spec)
  const { mutations = [], reinvocationPolicy } = spec
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'))
  const scope = scopeOf(spec, true)
  errors.push(...validateConditions(spec, scope), ...declareVariables(spec, scope))
  for (const [index, { patchType, jsonPatch, applyConfiguration }] of mutations.entries()) {
    const path = `spec.mutations[${index}]`
    const types = ['ApplyConfiguration', 'JSONPatch']
    if (((patchType as string | undefined) ?? '') === '') errors.push(required(`${path}.patchType`))
    else if (!types.includes(patchType)) errors.push(notSupported(`${path}.patchType`, patchType, types))
    else if (patchType === 'JSONPatch' && jsonPatch === undefined) errors.push(required(`${path}.jsonPatch`))
    else if (patchType === 'ApplyConfiguration' && applyConfiguration === undefined) {
      errors.push(required(`${path}.applyConfiguration`))
    } else if (patchType === 'JSONPatch') {
      const { expression = '' } = jsonPatch ?? {}
      errors.push(...expressionErrors(expression, `${path}.jsonPatch.expression`, scope, [listOf(jsonPatchType)]))
    } else {
      const { expression = '' } = applyConfiguration ?? {}
      errors.push(...expressionErrors(expression, `${path}.applyConfiguration.expression`, scope, [configurationType]))
    }
  }
  if (reinvocationPolicy === undefined) errors.push(required('spec.reinvocationPolicy'))
  else if (reinvocationPolicy !== 'Never' && reinvocationPolicy !== 'IfNeeded') {
    errors.push(notSupported('spec.reinvocationPolicy', reinvocationPolicy, ['IfNeeded', 'Never']))
  }
  return errors
}
