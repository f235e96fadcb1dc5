import { forbiddenField, invalidForEach, invalidValue, required } from '../../meta/field-errors.ts'
import { dnsSubdomain, labelKey, labelValue } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from '../../types/core.v1.ts'

/** A selector of nodes: at least one term, each with operators that fit their values. */
export function validateNodeSelector(selector: NodeSelector, path: string): FieldError[] {
  const terms = selector.nodeSelectorTerms ?? []
  if (terms.length === 0) return [required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term')]
  return terms.flatMap((term, index) => validateNodeSelectorTerm(term, `${path}.nodeSelectorTerms[${index}]`))
}

export function validateNodeSelectorTerm(
  term: NodeSelectorTerm,
  path: string,
  values: 'label values' | 'any values' = 'label values',
): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, index) =>
      validateLabelRequirement(requirement, values, `${path}.matchExpressions[${index}]`),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, index) =>
      validateFieldRequirement(requirement, `${path}.matchFields[${index}]`),
    ),
  ]
}

function validateLabelRequirement(
  requirement: NodeSelectorRequirement,
  rule: 'label values' | 'any values',
  path: string,
): FieldError[] {
  const { key, operator, values = [] } = requirement
  const errors: FieldError[] = []
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      }
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        errors.push(forbiddenField(`${path}.values`, detail))
      }
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
      }
      break
    default:
      errors.push(invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
  }
  errors.push(...invalidForEach(`${path}.key`, key, labelKey(key)))
  if (rule === 'any values') return errors
  for (const [index, value] of values.entries()) {
    errors.push(...invalidForEach(`${path}.values[${index}]`, value, labelValue(value)))
  }
  return errors
}

function validateFieldRequirement({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalidValue(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    errors.push(required(`${path}.values`, detail))
  }
  if (key !== 'metadata.name') return [...errors, invalidValue(`${path}.key`, key, 'not a valid field selector key')]
  for (const [index, value] of values.entries()) {
    errors.push(...invalidForEach(`${path}.values[${index}]`, value, dnsSubdomain(value)))
  }
  return errors
}
