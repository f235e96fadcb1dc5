import { duplicate, invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { labelKey, labelValue, qualifiedName } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateLabelSelector } from '../../../meta/validate-labels.ts'
import type {
  PodReadinessGate,
  PodSchedulingGate,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../../../types/core.v1.ts'
import { validateMatchLabelKeys } from './validate-affinity.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function validateTolerations(tolerations: readonly Toleration[] | undefined, path: string): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, index) => validateToleration(toleration, `${path}[${index}]`))
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const {
    key = '',
    value = '',
    operator = '' as string,
    effect = '' as string,
    tolerationSeconds,
  } = toleration as Partial<Toleration>
  const errors = key === '' ? [] : invalidForEach(`${path}.key`, key, labelKey(key))
  if (key === '' && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    errors.push(invalidValue(`${path}.operator`, operator, detail))
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(invalidValue(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
  }
  if (operator === 'Equal' || operator === '') {
    const wrong = labelValue(value)
    if (wrong.length > 0) errors.push(invalidValue(`${path}.operator`, value, wrong.join(';')))
  } else if (operator === 'Exists') {
    if (value !== '') {
      errors.push(invalidValue(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"))
    }
  } else {
    // Comparisons are known by name, but not enabled.
    const operators = operator === 'Gt' || operator === 'Lt' ? ['Equal', 'Exists', 'Lt', 'Gt'] : ['Equal', 'Exists']
    errors.push(notSupported(`${path}.operator`, operator, operators))
  }
  if (effect !== '' && !effects.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, effects))
  return errors
}

export function validateTopologySpread(constraints: PodSpec['topologySpreadConstraints'], path: string): FieldError[] {
  const list = constraints ?? []
  return list.flatMap((constraint, index) => {
    const at = `${path}[${index}]`
    const { topologyKey, whenUnsatisfiable } = constraint
    const errors = validateConstraint(constraint, at)
    const isRepeated = list
      .slice(index + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    if (isRepeated) {
      const pair = `{${topologyKey ?? ''}, ${whenUnsatisfiable ?? ''}}`
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair))
    }
    return [
      ...errors,
      ...validateMinDomains(constraint, `${at}.minDomains`),
      ...validateNodePolicies(constraint, at),
      ...validateMatchLabelKeys(constraint, at),
      ...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`),
    ]
  })
}

const spreadActions = ['DoNotSchedule', 'ScheduleAnyway']

function validateConstraint(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { maxSkew = 0, topologyKey = '' } = constraint as Partial<TopologySpreadConstraint>
  const action: string = constraint.whenUnsatisfiable ?? ''
  const errors: FieldError[] = []
  if (maxSkew <= 0) errors.push(invalidValue(`${path}.maxSkew`, maxSkew, 'must be greater than zero'))
  if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  if (!spreadActions.includes(action)) errors.push(notSupported(`${path}.whenUnsatisfiable`, action, spreadActions))
  return errors
}

function validateMinDomains({ minDomains, whenUnsatisfiable }: TopologySpreadConstraint, path: string): FieldError[] {
  if (minDomains === undefined) return []
  const errors = minDomains <= 0 ? [invalidValue(path, minDomains, 'must be greater than zero')] : []
  if (whenUnsatisfiable === 'DoNotSchedule') return errors
  const rule = 'can only use minDomains if whenUnsatisfiable=DoNotSchedule'
  return [...errors, invalidValue(path, minDomains, `${rule}, not ${whenUnsatisfiable ?? ''}`)]
}

function validateNodePolicies(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const policies = ['Honor', 'Ignore']
  return (['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const).flatMap((field) => {
    const policy = constraint[field]
    if (policy === undefined || policies.includes(policy)) return []
    return [notSupported(`${path}.${field}`, policy, policies)]
  })
}

export function validateReadinessGates({ readinessGates }: PodSpec, path: string): FieldError[] {
  return (readinessGates ?? []).flatMap(({ conditionType = '' }: Partial<PodReadinessGate>, index) =>
    invalidForEach(`${path}[${index}].conditionType`, conditionType, qualifiedName(conditionType)),
  )
}

export function validateSchedulingGates({ schedulingGates }: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>()
  return (schedulingGates ?? []).flatMap(({ name = '' }: Partial<PodSchedulingGate>, index) => {
    const at = `${path}[${index}]`
    const errors = invalidForEach(at, name, qualifiedName(name))
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
    return errors
  })
}
