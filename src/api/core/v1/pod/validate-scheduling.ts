import { duplicate, invalidForEach, invalidValue, notSupported, required } from '../../../meta/field-errors.ts'
import { labelKey, labelValue, qualifiedName } from '../../../meta/names.ts'
import type { FieldError } from '../../../meta/status.ts'
import { validateLabelSelector } from '../../../meta/validate-labels.ts'
import type { PodSpec, Toleration, TopologySpreadConstraint } from '../../../types/core.v1.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function validateTolerations(tolerations: readonly Toleration[] | undefined, path: string): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, index) => validateToleration(toleration, `${path}[${index}]`))
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key = '', value = '', operator = '' as string, effect = '' as string, tolerationSeconds } = toleration
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
  } else if (operator === 'Gt' || operator === 'Lt') {
    if (!/^-?(0|[1-9]\d*)$/.test(value))
      errors.push(invalidValue(`${path}.value`, value, 'value must be a valid integer'))
  } else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  if (effect !== '' && !effects.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, effects))
  return errors
}

export function validateTopologySpread(constraints: PodSpec['topologySpreadConstraints'], path: string): FieldError[] {
  const seen = new Set<string>()
  return (constraints ?? []).flatMap((constraint, index) => {
    const at = `${path}[${index}]`
    const errors = validateConstraint(constraint, at)
    const pair = `{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}}`
    if (seen.has(pair)) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pair))
    seen.add(pair)
    return [...errors, ...validateSpreadSelector(constraint, at)]
  })
}

function validateConstraint(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { maxSkew, topologyKey, minDomains } = constraint
  const whenUnsatisfiable: string = constraint.whenUnsatisfiable ?? ''
  const errors: FieldError[] = []
  if (maxSkew <= 0) errors.push(invalidValue(`${path}.maxSkew`, maxSkew, 'must be greater than zero'))
  if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'))
  else errors.push(...invalidForEach(`${path}.topologyKey`, topologyKey, labelKey(topologyKey)))
  const actions = ['DoNotSchedule', 'ScheduleAnyway']
  if (!actions.includes(whenUnsatisfiable)) {
    errors.push(notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, actions))
  }
  if (minDomains !== undefined) {
    if (minDomains <= 0) errors.push(invalidValue(`${path}.minDomains`, minDomains, 'must be greater than zero'))
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`
      errors.push(invalidValue(`${path}.minDomains`, minDomains, detail))
    }
  }
  return errors
}

function validateSpreadSelector(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    const policy = constraint[field]
    if (policy === undefined || policy === 'Honor' || policy === 'Ignore') continue
    errors.push(notSupported(`${path}.${field}`, policy, ['Honor', 'Ignore']))
  }
  const inSelector = new Set(Object.keys(constraint.labelSelector?.matchLabels ?? {}))
  for (const { key } of constraint.labelSelector?.matchExpressions ?? []) inSelector.add(key)
  for (const [index, key] of (constraint.matchLabelKeys ?? []).entries()) {
    const at = `${path}.matchLabelKeys[${index}]`
    errors.push(...invalidForEach(at, key, labelKey(key)))
    if (constraint.labelSelector === undefined) {
      const message = 'Forbidden: must not be specified when labelSelector is not set'
      errors.push({ type: 'FieldValueForbidden', field: at, message })
    } else if (inSelector.has(key)) {
      errors.push(invalidValue(at, key, 'exists in both matchLabelKeys and labelSelector'))
    }
  }
  return [...errors, ...validateLabelSelector(constraint.labelSelector, `${path}.labelSelector`)]
}

export function validateGates({ readinessGates, schedulingGates }: PodSpec, path: string): FieldError[] {
  const errors = (readinessGates ?? []).flatMap(({ conditionType }, index) =>
    invalidForEach(`${path}.readinessGates[${index}].conditionType`, conditionType, qualifiedName(conditionType)),
  )
  const seen = new Set<string>()
  for (const [index, { name = '' }] of (schedulingGates ?? []).entries()) {
    const at = `${path}.schedulingGates[${index}]`
    errors.push(...invalidForEach(at, name, qualifiedName(name)))
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
  }
  return errors
}
