import { dynType, type Type } from '#lib/cel/types.ts'
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from '../types/admissionregistration.v1.ts'
import { ExpressionScope } from './policy-expressions.ts'

/** A kind that policies may be about. */
export interface PolicyKind {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly type: () => Type | undefined
}

/** Of a policy for more kinds than this, the first are looked at. */
const maxKinds = 10

/**
 * What expressions of a policy get wrong about the kinds it names: fields that are not there, values of other types
 * (Kubernetes docs, "Validating Admission Policy: Type checking"). Rules with wildcards name no kind.
 */
export function policyWarnings(
  { spec }: ValidatingAdmissionPolicy,
  kinds: readonly PolicyKind[],
): readonly ExpressionWarning[] {
  const checked = kindsOf(spec.matchConstraints?.resourceRules ?? [], kinds)
  if (checked.length === 0) return []
  const { apiVersion = '', kind = '' } = spec.paramKind ?? {}
  const paramType = kinds.find((each) => groupVersion(each) === apiVersion && each.kind === kind)?.type()
  const params = spec.paramKind === undefined ? undefined : (paramType ?? dynType)
  const scopes = checked.map((each) => {
    const scope = new ExpressionScope({ object: each.type() ?? dynType, params })
    for (const variable of spec.variables ?? []) scope.declare(variable)
    return { name: `${each.group}/${each.version}, Kind=${each.kind}`, scope }
  })
  const warningOf = (fieldRef: string, expression: string): ExpressionWarning[] => {
    const problems = scopes.flatMap(({ name, scope }) => {
      const problem = scope.compileProblem(expression)
      return problem === undefined ? [] : [`${name}: ${problem}`]
    })
    return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join('\n') }]
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression = '' }, index) => [
    ...warningOf(`spec.validations[${index}].expression`, expression),
    ...(messageExpression === '' ? [] : warningOf(`spec.validations[${index}].messageExpression`, messageExpression)),
  ])
}

function kindsOf(rules: readonly NamedRuleWithOperations[], kinds: readonly PolicyKind[]): readonly PolicyKind[] {
  const named = kinds.filter((kind) => rules.some((rule) => names(rule, kind)))
  const order = (kind: PolicyKind): string => `${kind.group}/${kind.version}/${kind.kind}`
  return named.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).slice(0, maxKinds)
}

function names(
  { apiGroups = [], apiVersions = [], resources = [] }: NamedRuleWithOperations,
  { group, version, plural }: PolicyKind,
): boolean {
  if ([...apiGroups, ...apiVersions, ...resources].includes('*')) return false
  return apiGroups.includes(group) && apiVersions.includes(version) && resources.includes(plural)
}

function groupVersion({ group, version }: PolicyKind): string {
  return group === '' ? version : `${group}/${version}`
}
