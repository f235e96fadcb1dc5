import { validateDriverName } from '../../storage/v1/csi-driver.ts'
import {
  duplicate,
  invalidForEach,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../meta/field-errors.ts'
import { byteLengthOf, labelKey, labelValue } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { RawExtension } from '../../types/meta.v1.ts'
import type {
  DeviceClassConfiguration,
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
} from '../../types/resource.v1.ts'
import { maxConfigs, maxOpaqueBytes, maxSelectors } from './device-limits.ts'
import { validateExpression } from './validate-expression.ts'

/** Expressions that choose devices. */
export function validateSelectors(selectors: readonly DeviceSelector[], path: string): FieldError[] {
  if (selectors.length > maxSelectors) return [tooMany(path, selectors.length, maxSelectors)]
  return selectors.flatMap(({ cel }, index) => {
    const at = `${path}[${index}].cel`
    return cel === undefined ? [required(at)] : validateExpression(cel.expression ?? '', `${at}.expression`)
  })
}

/** What drivers are told besides, in a form that only they know; of a class or a claim. */
export function validateConfigs(
  configs: readonly DeviceClassConfiguration[],
  path: string,
  most: number = maxConfigs,
): FieldError[] {
  if (configs.length > most) return [tooMany(path, configs.length, most)]
  return configs.flatMap(({ opaque }, index) => {
    const at = `${path}[${index}].opaque`
    if (opaque === undefined) return [required(at)]
    return [
      ...validateDriverName(opaque.driver ?? '', `${at}.driver`),
      ...validateOpaque(opaque.parameters, `${at}.parameters`),
    ]
  })
}

/** An object that nobody but a driver understands. */
export function validateOpaque(value: RawExtension | null | undefined, path: string): FieldError[] {
  if (value === undefined || value === null) return [required(path)]
  if (byteLengthOf(JSON.stringify(value)) > maxOpaqueBytes) return [tooLong(path, maxOpaqueBytes)]
  if (typeof value === 'object' && !Array.isArray(value)) return []
  return [invalidValue(path, '<value omitted>', 'must be a valid JSON object')]
}

const effects = ['NoExecute', 'NoSchedule', 'None']
const maxTaints = 16

export function validateTaints(taints: readonly DeviceTaint[], path: string): FieldError[] {
  if (taints.length > maxTaints) return [tooMany(path, taints.length, maxTaints)]
  return taints.flatMap(({ key, value = '', effect }, index) => {
    const at = `${path}[${index}]`
    const errors = key ? invalidForEach(`${at}.key`, key, labelKey(key)) : [required(`${at}.key`)]
    if (value !== '') errors.push(...invalidForEach(`${at}.value`, value, labelValue(value)))
    if ((effect as string | undefined) === undefined || (effect as string) === '') errors.push(required(`${at}.effect`))
    else if (!effects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, effects))
    return errors
  })
}

const maxTolerations = 16
const operators = ['Equal', 'Exists']

/** Taints of devices that a request puts up with. */
export function validateDeviceTolerations(tolerations: readonly DeviceToleration[], path: string): FieldError[] {
  const errors = tolerations.length > maxTolerations ? [tooMany(path, tolerations.length, maxTolerations)] : []
  for (const [index, { key = '', value = '', operator, effect }] of tolerations.entries()) {
    const at = `${path}[${index}]`
    if (key !== '') errors.push(...invalidForEach(`${at}.key`, key, labelKey(key)))
    if (operator === 'Exists') {
      if (value !== '') errors.push(invalidValue(`${at}.value`, value, 'must be empty for operator `Exists`'))
    } else if (operator === 'Equal') errors.push(...invalidForEach(`${at}.value`, value, labelValue(value)))
    else errors.push(notSupported(`${at}.operator`, operator ?? '', operators))
    if (effect !== undefined && !effects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, effects))
  }
  return errors
}

interface Binding {
  readonly bindingConditions?: readonly string[] | undefined
  readonly bindingFailureConditions?: readonly string[] | undefined
}

const maxBindingConditions = 4

/** What must be, and what must not be, before a pod is bound: both or neither, each once. */
export function validateBinding(binding: Binding, path: string): FieldError[] {
  const { bindingConditions: good = [], bindingFailureConditions: bad = [] } = binding
  const goodAt = `${path}.bindingConditions`
  const badAt = `${path}.bindingFailureConditions`
  const errors = [...validateConditionTypes(good, goodAt), ...validateConditionTypes(bad, badAt)]
  for (const [index, type] of good.entries()) {
    if (good.indexOf(type) < index) errors.push(duplicate(`${goodAt}[${index}]`, type))
  }
  for (const [index, type] of bad.entries()) {
    if (bad.indexOf(type) < index) errors.push(duplicate(`${badAt}[${index}]`, type))
    const detail = 'bindingFailureConditions must not overlap with bindingConditions'
    if (good.includes(type)) errors.push(invalidValue(`${badAt}[${index}]`, type, detail))
  }
  if (good.length === 0 && bad.length > 0) {
    errors.push(invalidValue(goodAt, good, 'bindingConditions are required to use bindingFailureConditions'))
  }
  if (bad.length === 0 && good.length > 0) {
    errors.push(invalidValue(badAt, bad, 'bindingFailureConditions are required to use bindingConditions'))
  }
  return errors
}

function validateConditionTypes(types: readonly string[], path: string): FieldError[] {
  if (types.length > maxBindingConditions) return [tooMany(path, types.length, maxBindingConditions)]
  return types.flatMap((type, index) => invalidForEach(`${path}[${index}]`, type, labelKey(type)))
}
