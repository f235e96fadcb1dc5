import { defineKind } from '../../kind.ts'
import type { Draft } from '../../kind.ts'
import { nameAndCreation } from '../../meta/cells.ts'
import { duplicate, forbiddenField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import { compareQuantities, quantityToNumber } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import type { LimitRange, LimitRangeItem } from '../../types/core.v1.ts'
import { isOvercommitAllowed, validateContainerResourceName, validateResourceName } from './validate-resources.ts'

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  hasGeneration: false,
  setDefaults: (draft) => draft.spec?.limits?.forEach(setItemDefaults),
  validate: ({ spec }) => validateItems(spec?.limits ?? []),
  cells: nameAndCreation,
  createOnUpdate: true,
})

/** For containers the default limit is the maximum, the default request the default limit or else the minimum. */
function setItemDefaults(item: Draft<LimitRangeItem>): void {
  if (item.type !== 'Container') return
  item.default = { ...item.max, ...item.default }
  item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest }
  if (Object.keys(item.default).length === 0) delete item.default
  if (Object.keys(item.defaultRequest).length === 0) delete item.defaultRequest
}

function validateItems(items: readonly LimitRangeItem[]): FieldError[] {
  const types = new Set<string>()
  return items.flatMap((item, index) => {
    const path = `spec.limits[${index}]`
    const errors = validateType(item.type, `${path}.type`)
    if (types.has(item.type)) errors.push(duplicate(`${path}.type`, item.type))
    types.add(item.type)
    return [...errors, ...validateNames(item, path), ...validateOrder(item, path)]
  })
}

const knownTypes = ['Pod', 'Container', 'PersistentVolumeClaim']

function validateType(type: string, path: string): FieldError[] {
  const errors = invalidForEach(path, type, qualifiedName(type))
  if (errors.length > 0 || type.includes('/') || knownTypes.includes(type)) return errors
  return [invalidValue(path, type, 'must be a standard limit type or fully qualified')]
}

const parts = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function validateNames(item: LimitRangeItem, path: string): FieldError[] {
  const named = (part: (typeof parts)[number]): FieldError[] =>
    Object.keys(item[part] ?? {}).flatMap((name) => validateLimitedName(name, item.type, `${path}.${part}[${name}]`))
  const errors = [...named('max'), ...named('min')]
  for (const part of ['default', 'defaultRequest'] as const) {
    if (item.type !== 'Pod') errors.push(...named(part))
    else if (Object.keys(item[part] ?? {}).length > 0) {
      errors.push(forbiddenField(`${path}.${part}`, "may not be specified when `type` is 'Pod'"))
    }
  }
  const storage = item.max?.['storage'] ?? item.min?.['storage']
  if (item.type === 'PersistentVolumeClaim' && storage === undefined) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided'
    errors.push(required(`${path}.limits`, detail))
  }
  return [...errors, ...named('maxLimitRequestRatio')]
}

function validateLimitedName(name: string, type: string, path: string): FieldError[] {
  const isOfContainers = type === 'Pod' || type === 'Container'
  return isOfContainers ? validateContainerResourceName(name, path) : validateResourceName(name, path)
}

/** min ≤ defaultRequest ≤ default ≤ max, resource by resource. */
function validateOrder(item: LimitRangeItem, path: string): FieldError[] {
  // Of pods the defaults have been refused already.
  const compared = item.type === 'Pod' ? { ...item, default: undefined, defaultRequest: undefined } : item
  const names = new Set(parts.flatMap((part) => Object.keys(compared[part] ?? {})))
  return [...names].flatMap((name) => validateOneOrder(compared, name, path))
}

function validateOneOrder(item: LimitRangeItem, name: string, path: string): FieldError[] {
  const [max, min, standard, request] = [item.max, item.min, item.default, item.defaultRequest].map(
    (part) => part?.[name],
  )
  const errors: FieldError[] = []
  const above = (
    low: string | undefined,
    high: string | undefined,
    field: string,
    shown: string | undefined,
    text: string,
  ): void => {
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return
    errors.push(invalidValue(`${path}.${field}[${name}]`, shown, text))
  }
  above(min, max, 'min', min, `min value ${min} is greater than max value ${max}`)
  above(min, request, 'defaultRequest', request, `min value ${min} is greater than default request value ${request}`)
  above(request, max, 'defaultRequest', request, `default request value ${request} is greater than max value ${max}`)
  above(
    request,
    standard,
    'defaultRequest',
    request,
    `default request value ${request} is greater than default limit value ${standard}`,
  )
  above(min, standard, 'default', min, `min value ${min} is greater than default value ${standard}`)
  above(standard, max, 'default', max, `default value ${standard} is greater than max value ${max}`)
  errors.push(...validateRatio(item, name, path))
  if (
    !isOvercommitAllowed(name) &&
    standard !== undefined &&
    request !== undefined &&
    compareQuantities(standard, request) !== 0
  ) {
    const detail = `default value ${standard} must equal to defaultRequest value ${request} in ${name}`
    errors.push(invalidValue(`${path}.defaultRequest[${name}]`, request, detail))
  }
  return errors
}

function validateRatio({ maxLimitRequestRatio, max, min }: LimitRangeItem, name: string, path: string): FieldError[] {
  const ratio = maxLimitRequestRatio?.[name]
  if (ratio === undefined) return []
  const at = `${path}.maxLimitRequestRatio[${name}]`
  const errors: FieldError[] = []
  if (compareQuantities(ratio, '1') < 0) errors.push(invalidValue(at, ratio, `ratio ${ratio} is less than 1`))
  const [high, low] = [max?.[name], min?.[name]]
  if (high === undefined || low === undefined) return errors
  const largest = quantityToNumber(high) / quantityToNumber(low)
  if (quantityToNumber(ratio) > largest) {
    errors.push(invalidValue(at, ratio, `ratio ${ratio} is greater than max/min = ${largest.toFixed(6)}`))
  }
  return errors
}
