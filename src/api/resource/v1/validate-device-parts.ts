import { validateDriverName } from '../../storage/v1/csi-driver.ts'
import { invalidForEach, invalidValue, notSupported, required, tooLong, tooMany } from '../../meta/field-errors.ts'
import { labelKey, labelValue, qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type {
  DeviceClassConfiguration,
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
} from '../../types/resource.v1.ts'

const maxSelectors = 32
const maxExpressionLength = 10 * 1024

/** Expressions that choose devices; they are compiled by who allocates. */
export function validateSelectors(selectors: readonly DeviceSelector[], path: string): FieldError[] {
  const errors = selectors.length > maxSelectors ? [tooMany(path, selectors.length, maxSelectors)] : []
  for (const [index, { cel }] of selectors.entries()) {
    const at = `${path}[${index}].cel`
    if (cel === undefined) errors.push(required(at))
    else if ((cel.expression ?? '').length > maxExpressionLength) {
      errors.push(tooLong(`${at}.expression`, maxExpressionLength))
    }
  }
  return errors
}

const maxConfigs = 32

/** What drivers are told besides, in a form that only they know. */
export function validateConfigs(configs: readonly DeviceClassConfiguration[], path: string): FieldError[] {
  const errors = configs.length > maxConfigs ? [tooMany(path, configs.length, maxConfigs)] : []
  for (const [index, { opaque }] of configs.entries()) {
    const at = `${path}[${index}].opaque`
    if (opaque === undefined) errors.push(required(at))
    else {
      errors.push(...validateDriverName(opaque.driver ?? '', `${at}.driver`))
      if (opaque.parameters === undefined) errors.push(required(`${at}.parameters`))
    }
  }
  return errors
}

const effects = ['NoExecute', 'NoSchedule', 'None']
const maxTaints = 16

export function validateTaints(taints: readonly DeviceTaint[], path: string): FieldError[] {
  const errors = taints.length > maxTaints ? [tooMany(path, taints.length, maxTaints)] : []
  for (const [index, { key, value = '', effect }] of taints.entries()) {
    const at = `${path}[${index}]`
    errors.push(...(key ? invalidForEach(`${at}.key`, key, labelKey(key)) : [required(`${at}.key`)]))
    if (value !== '') errors.push(...invalidForEach(`${at}.value`, value, labelValue(value)))
    if ((effect as string | undefined) === undefined || (effect as string) === '') errors.push(required(`${at}.effect`))
    else if (!effects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, effects))
  }
  return errors
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

/** `domain/name` of an attribute, as constraints name them. */
export function validateAttributeName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  if (!name.includes('/')) return [invalidValue(path, name, 'must include a domain')]
  return invalidForEach(path, name, qualifiedName(name))
}
