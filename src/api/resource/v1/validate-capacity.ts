import { duplicate, forbiddenField, invalidValue, required, tooMany } from '../../meta/field-errors.ts'
import { addQuantities, canonicalQuantity, compareQuantities, parseQuantity } from '../../meta/quantity.ts'
import type { FieldError } from '../../meta/status.ts'
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../../types/resource.v1.ts'

/** How much of a device may be asked for is a matter only of devices that several claims can share. */
export function validateCapacity(
  { value, requestPolicy }: DeviceCapacity,
  isShared: boolean,
  path: string,
): FieldError[] {
  if (requestPolicy === undefined) return []
  const at = `${path}.requestPolicy`
  if (!isShared) return [forbiddenField(at, 'allowMultipleAllocations must be true')]
  return validatePolicy(requestPolicy, value, at)
}

function validatePolicy(policy: CapacityRequestPolicy, capacity: string, path: string): FieldError[] {
  const { validValues = [], validRange, default: usual } = policy
  if (validValues.length > 0 && validRange !== undefined) {
    const detail = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
    return [forbiddenField(path, detail)]
  }
  const field = validValues.length > 0 ? 'validValues' : 'validRange'
  if (validValues.length === 0 && validRange === undefined) return []
  if (usual === undefined) return [required(`${path}.default`, `required when ${field} is defined`)]
  return validRange === undefined
    ? validateValues(validValues, usual, capacity, `${path}.validValues`)
    : validateRange(validRange, usual, capacity, `${path}.validRange`)
}

const maxValues = 10

function validateValues(values: readonly string[], usual: string, capacity: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, value] of values.entries()) {
    const before = values[index - 1]
    if (before === undefined || compareQuantities(before, value) <= 0) continue
    errors.push(invalidValue(`${path}[${index}]`, canonicalQuantity(value), 'values must be sorted in ascending order'))
  }
  if (values.length > maxValues) errors.push(tooMany(path, values.length, maxValues))
  else errors.push(...validateOptions(values, capacity, path))
  if (!values.some((value) => compareQuantities(value, usual) === 0)) {
    const detail = 'default value is not valid according to the requestPolicy'
    errors.push(invalidValue(path, canonicalQuantity(usual), detail))
  }
  return errors
}

function validateOptions(values: readonly string[], capacity: string, path: string): FieldError[] {
  const known = values.map((value) => parseQuantity(value).nanos)
  return values.flatMap((value, index) => {
    const errors: FieldError[] = []
    if (compareQuantities(value, capacity) > 0) {
      const detail = `option is larger than capacity value: ${canonicalQuantity(capacity)}`
      errors.push(invalidValue(`${path}[${index}]`, canonicalQuantity(value), detail))
    }
    if (known.indexOf(known[index] as bigint) < index) {
      errors.push(duplicate(`${path}[${index}]`, canonicalQuantity(value)))
    }
    return errors
  })
}

function validateRange(range: CapacityRequestPolicyRange, usual: string, capacity: string, path: string): FieldError[] {
  const { min, max, step } = range as Partial<CapacityRequestPolicyRange>
  if (min === undefined) return [required(`${path}.min`, 'required when validRange is defined')]
  const errors: FieldError[] = []
  const atMost = (low: string, high: string, field: string, shown: string, words: string): void => {
    if (compareQuantities(low, high) <= 0) return
    const limit = canonicalQuantity(words.startsWith('default is less') ? low : high)
    errors.push(invalidValue(`${path}.${field}`, canonicalQuantity(shown), `${words}: ${limit}`))
  }
  atMost(min, capacity, 'min', min, 'min is larger than capacity value')
  atMost(min, usual, 'default', usual, 'default is less than min')
  if (max !== undefined) {
    atMost(min, max, 'max', min, 'min is larger than max')
    atMost(max, capacity, 'max', max, 'max is larger than capacity value')
    atMost(usual, max, 'default', usual, 'default is more than max')
  }
  return step === undefined ? errors : [...errors, ...validateStep({ ...range, step }, usual, capacity, path)]
}

function validateStep(
  { min, max, step }: CapacityRequestPolicyRange & { readonly step: string },
  usual: string,
  capacity: string,
  path: string,
): FieldError[] {
  const at = `${path}.step`
  const size = parseQuantity(step).nanos
  if (size <= 0n) return [invalidValue(at, canonicalQuantity(step), 'must be greater than zero')]
  const errors: FieldError[] = []
  const first = addQuantities(min, step)
  if (compareQuantities(first, capacity) > 0) {
    const detail = `one step ${first} is larger than capacity value: ${canonicalQuantity(capacity)}`
    errors.push(invalidValue(at, canonicalQuantity(step), detail))
  }
  for (const value of max === undefined ? [usual] : [usual, max]) {
    if ((parseQuantity(value).nanos - parseQuantity(min).nanos) % size === 0n) continue
    const detail = `value is not a multiple of a given step (${canonicalQuantity(step)}) from (${canonicalQuantity(min)})`
    errors.push(invalidValue(at, canonicalQuantity(value), detail))
  }
  return errors
}
