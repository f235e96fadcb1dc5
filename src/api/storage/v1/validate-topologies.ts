import { deepEqual } from '../../meta/deep-equal.ts'
import { duplicate, invalidForEach, required } from '../../meta/field-errors.ts'
import { labelKey } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { TopologySelectorLabelRequirement, TopologySelectorTerm } from '../../types/core.v1.ts'

/** Where volumes of a class may come to be: no place is named twice. */
export function validateTopologies(terms: readonly TopologySelectorTerm[], path: string): FieldError[] {
  const places = terms.map(({ matchLabelExpressions = [] }) =>
    Object.fromEntries(matchLabelExpressions.map(({ key, values }) => [key, [...(values ?? [])].sort()])),
  )
  return terms.flatMap((term, index) => {
    const at = `${path}[${index}].matchLabelExpressions`
    const isTwin = places.slice(0, index).some((place) => deepEqual(place, places[index]))
    return [...validateTerm(term, at), ...(isTwin ? [duplicate(at, '')] : [])]
  })
}

function validateTerm({ matchLabelExpressions = [] }: TopologySelectorTerm, path: string): FieldError[] {
  if (matchLabelExpressions.length === 0) return [required(path)]
  const keys = matchLabelExpressions.map(({ key }) => key)
  return matchLabelExpressions.flatMap((requirement, index) => [
    ...validateRequirement(requirement, `${path}[${index}]`),
    ...(keys.indexOf(requirement.key) < index ? [duplicate(`${path}[${index}].key`, requirement.key)] : []),
  ])
}

function validateRequirement({ key, ...requirement }: TopologySelectorLabelRequirement, path: string): FieldError[] {
  const values = requirement.values ?? []
  const errors = values.length === 0 ? [required(`${path}.values`)] : []
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) < index) errors.push(duplicate(`${path}.values[${index}]`, value))
  }
  return [...errors, ...invalidForEach(`${path}.key`, key, labelKey(key))]
}
