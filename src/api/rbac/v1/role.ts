import { defineKind } from '../../kind.ts'
import { nameAndCreation } from '../../meta/cells.ts'
import { invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateLabelSelector } from '../../meta/validate-labels.ts'
import { writeNullForEmpty } from '../../meta/write-null.ts'
import type { AggregationRule, ClusterRole, PolicyRule, Role } from '../../types/rbac.v1.ts'

export const role = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  hasGeneration: false,
  nameRule: 'pathSegment',
  prepareForCreate: (draft) => writeNullForEmpty(draft, 'rules'),
  prepareForUpdate: (draft) => writeNullForEmpty(draft, 'rules'),
  validate: ({ rules }) => validateRules(rules ?? [], true),
  cells: nameAndCreation,
  createOnUpdate: true,
})

export const clusterRole = defineKind<ClusterRole>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  hasGeneration: false,
  nameRule: 'pathSegment',
  prepareForCreate: (draft) => writeNullForEmpty(draft, 'rules'),
  prepareForUpdate: (draft) => writeNullForEmpty(draft, 'rules'),
  validate: ({ rules, aggregationRule }) => [
    ...validateRules(rules ?? [], false),
    ...validateAggregation(aggregationRule),
  ],
  cells: nameAndCreation,
  createOnUpdate: true,
})

function validateRules(rules: readonly PolicyRule[], namespaced: boolean): FieldError[] {
  return rules.flatMap((rule, index) => validateRule(rule, namespaced, `rules[${index}]`))
}

function validateRule(rule: PolicyRule, namespaced: boolean, path: string): FieldError[] {
  const { verbs, nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule
  const errors: FieldError[] = []
  if ((verbs ?? []).length === 0) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'))
  if (nonResourceURLs.length > 0) {
    const field = `${path}.nonResourceURLs`
    if (namespaced) {
      errors.push(invalidValue(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    }
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs'
      errors.push(invalidValue(field, nonResourceURLs, detail))
    }
    return errors
  }
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  }
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
  }
  return errors
}

function validateAggregation(rule: AggregationRule | undefined): FieldError[] {
  if (rule === undefined) return []
  const selectors = rule.clusterRoleSelectors ?? []
  const path = 'aggregationRule.clusterRoleSelectors'
  if (selectors.length === 0) {
    return [required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
  }
  return selectors.flatMap((selector, index) => validateLabelSelector(selector, `${path}[${index}]`))
}
