import { defineKind } from '../../kind.ts'
import { deepEqual } from '../../meta/deep-equal.ts'
import { ageOf } from '../../meta/duration.ts'
import { immutableField, invalidValue, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { ResourceQuota, ResourceQuotaSpec } from '../../types/core.v1.ts'
import { isStandardResource, validateResourceName, validateResourceQuantity } from './validate-resources.ts'

export const resourceQuota = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  hasGeneration: false,
  prepareForCreate: (draft) => void (draft.status = {}),
  validate: ({ spec }) => validateQuotaSpec(spec ?? {}),
  validateUpdate: ({ spec: now }, { spec: old }) =>
    deepEqual([...(now?.scopes ?? [])].sort(), [...(old?.scopes ?? [])].sort())
      ? []
      : [invalidValue('spec.scopes', now?.scopes ?? null, immutableField)],
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
  const errors: FieldError[] = []
  for (const [name, quantity] of Object.entries(spec.hard ?? {})) {
    const path = `spec.hard[${name}]`
    errors.push(...validateResourceName(name, path))
    if (!name.includes('/') && (!isStandardResource(name) || name === 'storage' || name.startsWith('hugepages-'))) {
      errors.push(invalidValue(path, name, 'must be a standard resource for quota'))
    }
    errors.push(...validateResourceQuantity(name, quantity, path))
  }
  return [...errors, ...validateScopes(spec), ...validateScopeSelector(spec)]
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
      if (!isStandardResource(name) || isScopeOf(scope, name)) continue
      errors.push(invalidValue(path, given, 'unsupported scope applied to resource'))
    }
  }
  for (const [one, other] of exclusive) {
    if (given.includes(one) && given.includes(other)) errors.push(invalidValue(path, given, 'conflicting scopes'))
  }
  return errors
}

const computeResources = /^((requests|limits)\.)?(cpu|memory)$/

function isScopeOf(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods'
  if (podScopes.includes(scope)) return resource === 'pods' || computeResources.test(resource)
  if (scope === 'VolumeAttributesClass') return resource === 'persistentvolumeclaims' || resource === 'requests.storage'
  return true
}

function validateScopeSelector({ scopeSelector }: ResourceQuotaSpec): FieldError[] {
  return (scopeSelector?.matchExpressions ?? []).flatMap(({ scopeName, operator, values = [] }, index) => {
    const path = `spec.scopeSelector.matchExpressions[${index}]`
    const errors: FieldError[] = []
    if (!scopes.has(scopeName)) errors.push(invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope'))
    const listed = operator === 'In' || operator === 'NotIn'
    if (listed && values.length === 0) {
      const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
      errors.push(required(`${path}.values`, detail))
    } else if (!listed && operator !== 'Exists' && operator !== 'DoesNotExist') {
      errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
    } else if (!listed && values.length > 0) {
      const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
      errors.push(invalidValue(`${path}.values`, values, detail))
    }
    return errors
  })
}
