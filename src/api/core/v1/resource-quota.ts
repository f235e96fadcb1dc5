import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ResourceQuota, ResourceQuotaSpec } from '../../types/core.v1.ts'
import { isStandardQuotaResource, validateResourceName, validateResourceQuantity } from './validate-resources.ts'

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  hasGeneration: false,
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: ({ spec }) => validateQuotaSpec(spec ?? {}),
  validateUpdate: ({ spec: now }, { spec: old }) =>
    deepEqual([...new Set(now?.scopes)].sort(), [...new Set(old?.scopes)].sort())
      ? []
      : [invalidValue('spec.scopes', now?.scopes ?? null, immutableField)],
  validateStatusUpdate: validateQuotaStatus,
  cells: (quota, nowMs) => [
    quota.metadata.name,
    usageCell(quota, (name) => !isLimit(name)),
    usageCell(quota, isLimit),
    ageOf(quota.metadata.creationTimestamp, nowMs),
  ],
  deleteReturnsObject: true,
})

function isLimit(name: string): boolean {
  return name.startsWith('limits')
}

function usageCell({ status }: ResourceQuota, shown: (name: string) => boolean): string {
  const names = Object.keys(status?.hard ?? {})
    .filter(shown)
    .sort()
  return names.map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`).join(', ')
}

function validateQuotaSpec(spec: ResourceQuotaSpec): FieldError[] {
  return [...validateAmounts(spec.hard, 'spec.hard'), ...validateScopes(spec), ...validateScopeSelector(spec)]
}

function validateAmounts(amounts: ResourceQuotaSpec['hard'], path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, quantity]) => {
    const at = `${path}[${name}]`
    const errors = validateResourceName(name, at)
    if (!name.includes('/') && !isStandardQuotaResource(name)) {
      errors.push(invalidValue(at, name, 'must be a standard resource for quota'))
    }
    return [...errors, ...validateResourceQuantity(name, quantity, at)]
  })
}

const podScopes = [
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'PriorityClass',
  'CrossNamespacePodAffinity',
]
const scopes = new Set([...podScopes, 'VolumeAttributesClass'])
const exclusive = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

function validateScopes({ scopes: given = [], hard }: ResourceQuotaSpec): FieldError[] {
  const path = 'spec.scopes'
  const errors: FieldError[] = []
  for (const scope of given) {
    if (!scopes.has(scope)) errors.push(invalidValue(path, given, 'unsupported scope'))
    for (const name of Object.keys(hard ?? {}).sort()) {
      if (!isStandardQuotaResource(name) || isScopeOf(scope, name)) continue
      errors.push(invalidValue(path, given, 'unsupported scope applied to resource'))
    }
  }
  return [...errors, ...validateExclusive(given, path, given)]
}

function validateExclusive(names: readonly string[], path: string, shown: unknown): FieldError[] {
  return exclusive.flatMap(([one, other]) =>
    names.includes(one) && names.includes(other) ? [invalidValue(path, shown, 'conflicting scopes')] : [],
  )
}

const computeResources = /^((requests|limits)\.)?(cpu|memory)$/

function isScopeOf(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods'
  if (podScopes.includes(scope)) return resource === 'pods' || computeResources.test(resource)
  if (scope === 'VolumeAttributesClass') return resource === 'persistentvolumeclaims' || resource === 'requests.storage'
  return true
}

const existenceScopes = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
])

/** The API server does not tell which of the expressions it means. */
function validateScopeSelector({ scopeSelector, scopes: given, hard }: ResourceQuotaSpec): FieldError[] {
  if (scopeSelector === undefined) return []
  const path = 'spec.scopeSelector.matchExpressions'
  const expressions = scopeSelector.matchExpressions ?? []
  const shown = { MatchExpressions: expressions.map(expressionForMessage) }
  const errors = expressions.flatMap(({ scopeName, operator, values = [] }) => {
    const own = scopes.has(scopeName) ? [] : [invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope')]
    for (const name of Object.keys(hard ?? {}).sort()) {
      if (!isStandardQuotaResource(name) || isScopeOf(scopeName, name)) continue
      own.push(invalidValue(path, shown, 'unsupported scope applied to resource'))
    }
    if (existenceScopes.has(scopeName) && operator !== 'Exists') {
      own.push(invalidValue(`${path}.operator`, operator ?? '', mustExist))
    }
    return [...own, ...validateOperator(operator ?? '', values, path)]
  })
  const names = expressions.map(({ scopeName }) => scopeName)
  return [...errors, ...validateExclusive(names, path, given ?? null)]
}

const mustExist =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

function validateOperator(operator: string, values: readonly string[], path: string): FieldError[] {
  if (operator === 'In' || operator === 'NotIn') {
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
    return values.length > 0 ? [] : [required(`${path}.values`, detail)]
  }
  if (operator === 'Exists' || operator === 'DoesNotExist') {
    const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
    return values.length === 0 ? [] : [invalidValue(`${path}.values`, values, detail)]
  }
  return [invalidValue(`${path}.operator`, operator, 'not a valid selector operator')]
}

interface Expression {
  readonly scopeName: string
  readonly operator?: string | undefined
  readonly values?: readonly string[] | undefined
}

function expressionForMessage({ scopeName, operator, values }: Expression): unknown {
  return { ScopeName: scopeName, Operator: operator ?? '', Values: values ?? null }
}

/** What the quota controller reports. */
function validateQuotaStatus({ status }: ResourceQuota): FieldError[] {
  return [...validateAmounts(status?.hard, 'status.hard'), ...validateAmounts(status?.used, 'status.used')]
}
