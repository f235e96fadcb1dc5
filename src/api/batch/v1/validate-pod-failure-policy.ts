import {
  duplicate,
  invalidForEach,
  invalidValue,
  invalidWithoutValue,
  notSupported,
  required,
  tooMany,
} from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from '../../types/batch.v1.ts'

const maxRules = 20
const maxExitCodes = 255
const maxPatterns = 20

/** What a job makes of failed pods (KEP-3329). */
export function validatePodFailurePolicy(spec: JobSpec, path: string): FieldError[] {
  const rules = spec.podFailurePolicy?.rules ?? []
  const errors = rules.length > maxRules ? [tooMany(`${path}.rules`, rules.length, maxRules)] : []
  const { containers, initContainers } = spec.template.spec
  const known = new Set([...(containers ?? []), ...(initContainers ?? [])].map(({ name }) => name))
  return [
    ...errors,
    ...rules.flatMap((rule, index) => validatePolicyRule(rule, spec, known, `${path}.rules[${index}]`)),
  ]
}

function validatePolicyRule(
  rule: PodFailurePolicyRule,
  spec: JobSpec,
  containers: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const { onExitCodes, onPodConditions = [] } = rule
  const errors = validateAction(rule.action, spec, `${path}.action`)
  if (onExitCodes !== undefined) errors.push(...validateExitCodes(onExitCodes, containers, `${path}.onExitCodes`))
  errors.push(...validatePatterns(onPodConditions, `${path}.onPodConditions`))
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(invalidWithoutValue(path, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(invalidWithoutValue(path, 'specifying one of OnExitCodes and OnPodConditions is required'))
  }
  return errors
}

function validateAction(action: string, { backoffLimitPerIndex }: JobSpec, path: string): FieldError[] {
  if (action === 'FailIndex' && backoffLimitPerIndex === undefined) {
    return [invalidValue(path, action, 'requires the backoffLimitPerIndex to be set')]
  }
  return oneOf(action, ['Count', 'FailIndex', 'FailJob', 'Ignore'], path)
}

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  if ((value ?? '') === '') return [required(path, `valid values: [${allowed.map((one) => `"${one}"`).join(' ')}]`)]
  return allowed.includes(value ?? '') ? [] : [notSupported(path, value, allowed)]
}

function validateExitCodes(
  { operator, containerName, ...codes }: PodFailurePolicyOnExitCodesRequirement,
  containers: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const values = codes.values ?? []
  const errors = oneOf(operator, ['In', 'NotIn'], `${path}.operator`)
  if (containerName !== undefined && !containers.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalidValue(`${path}.containerName`, containerName, detail))
  }
  const at = `${path}.values`
  if (values.length === 0) errors.push(invalidValue(at, values, 'at least one value is required'))
  else if (values.length > maxExitCodes) errors.push(tooMany(at, values.length, maxExitCodes))
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0) {
      errors.push(invalidValue(`${at}[${index}]`, value, 'must not be 0 for the In operator'))
    }
    if (values.indexOf(value) < index) errors.push(duplicate(`${at}[${index}]`, value))
  }
  const isOrdered = values.every((value, index) => index === 0 || (values[index - 1] ?? value) <= value)
  return isOrdered ? errors : [...errors, invalidValue(at, values, 'must be ordered')]
}

function validatePatterns(patterns: readonly PodFailurePolicyOnPodConditionsPattern[], path: string): FieldError[] {
  const errors = patterns.length > maxPatterns ? [tooMany(path, patterns.length, maxPatterns)] : []
  for (const [index, { type, status }] of patterns.entries()) {
    errors.push(
      ...invalidForEach(`${path}[${index}].type`, type, qualifiedName(type)),
      ...oneOf(status, ['False', 'True', 'Unknown'], `${path}[${index}].status`),
    )
  }
  return errors
}
