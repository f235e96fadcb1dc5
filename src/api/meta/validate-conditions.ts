import type { Condition } from '../types/meta.v1.ts'
import { duplicate, invalidForEach, invalidValue, notSupported, required, tooLong } from './field-errors.ts'
import { qualifiedName } from './names.ts'
import type { FieldError } from './status.ts'

const statuses = ['False', 'True', 'Unknown']
const maxReasonBytes = 1024
const maxMessageBytes = 32 * 1024
const reasonFormat = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const reasonRule =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'"

/** Conditions of the common form (`metav1.Condition`): one of each type, each complete. */
export function validateConditions(conditions: readonly Condition[] | undefined, path: string): FieldError[] {
  const types = (conditions ?? []).map(({ type }) => type)
  return (conditions ?? []).flatMap((condition, index) => [
    ...(types.indexOf(condition.type) < index ? [duplicate(`${path}[${index}].type`, condition.type)] : []),
    ...validateCondition(condition, `${path}[${index}]`),
  ])
}

function validateCondition(condition: Condition, path: string): FieldError[] {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason, message } = condition
  const errors = invalidForEach(`${path}.type`, type, qualifiedName(type))
  if (!statuses.includes(status)) errors.push(notSupported(`${path}.status`, status, statuses))
  if (observedGeneration < 0) {
    const detail = 'must be greater than or equal to zero'
    errors.push(invalidValue(`${path}.observedGeneration`, observedGeneration, detail))
  }
  if (!lastTransitionTime) errors.push(required(`${path}.lastTransitionTime`, 'must be set'))
  return [
    ...errors,
    ...validateReason(reason ?? '', `${path}.reason`),
    ...tooLongText(message ?? '', `${path}.message`),
  ]
}

function validateReason(reason: string, path: string): FieldError[] {
  if (reason === '') return [required(path, 'must be set')]
  if (Buffer.byteLength(reason) > maxReasonBytes) return [tooLong(path, maxReasonBytes)]
  if (new RegExp(`^(?:${reasonFormat})$`).test(reason)) return []
  const examples =
    "(e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is"
  return [invalidValue(path, reason, `${reasonRule} ${examples} '${reasonFormat}')`)]
}

function tooLongText(text: string, path: string): FieldError[] {
  return Buffer.byteLength(text) > maxMessageBytes ? [tooLong(path, maxMessageBytes)] : []
}
