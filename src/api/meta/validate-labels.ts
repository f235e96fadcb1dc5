import { invalidForEach, invalidValue, required, tooLong } from './field-errors.ts'
import { labelKey, labelValue } from './names.ts'
import type { FieldError } from './status.ts'
import type { LabelSelector, LabelSelectorRequirement } from '../types/meta.v1.ts'

type StringMap = Readonly<Record<string, string>>

/** Keys and values of labels, or of a map that selects by equality; errors name the map, not the key. */
export function validateLabels(labels: StringMap | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(labels ?? {})) {
    errors.push(...invalidForEach(path, key, labelKey(key)), ...invalidForEach(path, value, labelValue(value)))
  }
  return errors
}

const maxAnnotationBytes = 256 * 1024

/** Keys of annotations, and the size of all of them together. */
export function validateAnnotations(annotations: StringMap | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.push(...invalidForEach(path, key, labelKey(key.toLowerCase())))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > maxAnnotationBytes) errors.push(tooLong(path, maxAnnotationBytes))
  return errors
}

/** A label selector: labels, and operators that fit their values. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (selector === undefined) return []
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`)
  for (const [index, requirement] of (selector.matchExpressions ?? []).entries()) {
    errors.push(...validateRequirement(requirement, `${path}.matchExpressions[${index}]`))
  }
  return errors
}

/** A selector that selects everything. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  const labels = Object.keys(selector?.matchLabels ?? {}).length
  return labels + (selector?.matchExpressions ?? []).length === 0
}

/** The selector as messages write it: fields in the order of the API reference, empty ones left out. */
export function selectorForMessage(selector: LabelSelector | undefined): unknown {
  if (selector === undefined) return null
  const { matchLabels, matchExpressions } = selector
  return {
    ...(Object.keys(matchLabels ?? {}).length > 0 && { matchLabels: sortedMap(matchLabels) }),
    ...((matchExpressions ?? []).length > 0 && {
      matchExpressions: matchExpressions?.map(({ key, operator, values }) => ({
        key,
        operator,
        ...((values ?? []).length > 0 && { values }),
      })),
    }),
  }
}

/** A map with its keys sorted, `null` for an absent one: how messages write maps. */
export function sortedMap(map: StringMap | undefined): StringMap | null {
  return map === undefined ? null : Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function validateRequirement({ key, operator, values }: LabelSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = []
  const list = values ?? []
  if (operator === 'In' || operator === 'NotIn') {
    if (list.length === 0) {
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (list.length > 0) {
      errors.push(forbiddenValues(`${path}.values`))
    }
  } else {
    errors.push(invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
  }
  errors.push(...invalidForEach(`${path}.key`, key, labelKey(key)))
  for (const [index, value] of list.entries()) {
    errors.push(...invalidForEach(`${path}.values[${index}]`, value, labelValue(value)))
  }
  return errors
}

function forbiddenValues(field: string): FieldError {
  const message = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
  return { type: 'FieldValueForbidden', field, message }
}
