import { nonNegative } from '../../meta/check-numbers.ts'
import { invalidValue, required, tooLong, tooMany } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { JobSpec, SuccessPolicyRule } from '../../types/batch.v1.ts'

const maxRules = 20
const maxIndexesLength = 64 * 1024

/** When an indexed job counts as done before all of its indexes are (KEP-3998). */
export function validateSuccessPolicy({ successPolicy, completions }: JobSpec, path: string): FieldError[] {
  const rules = successPolicy?.rules ?? []
  const errors: FieldError[] = []
  if (rules.length === 0) {
    const detail = 'at least one rules must be specified when the successPolicy is specified'
    errors.push(required(`${path}.rules`, detail))
  }
  if (rules.length > maxRules) errors.push(tooMany(`${path}.rules`, rules.length, maxRules))
  return [
    ...errors,
    ...rules.flatMap((rule, index) => validateSuccessRule(rule, completions, `${path}.rules[${index}]`)),
  ]
}

function validateSuccessRule(
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'))
  }
  const total = succeededIndexes === undefined ? 0 : countIndexes(succeededIndexes, completions)
  if (succeededIndexes !== undefined) {
    const at = `${path}.succeededIndexes`
    if (succeededIndexes.length > maxIndexesLength) errors.push(tooLong(at, maxIndexesLength))
    if (typeof total === 'string') {
      errors.push(invalidValue(at, succeededIndexes, `error parsing succeededIndexes: ${total}`))
    }
  }
  if (succeededCount === undefined) return errors
  const at = `${path}.succeededCount`
  errors.push(...nonNegative(succeededCount, at))
  if (completions !== undefined && succeededCount > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`
    errors.push(invalidValue(at, succeededCount, detail))
  }
  const listed = typeof total === 'number' ? total : 0
  if (succeededIndexes !== undefined && succeededCount > listed) {
    const what = 'the number of indexes in the specified succeededIndexes field'
    errors.push(invalidValue(at, succeededCount, `must be less than or equal to ${listed} (${what})`))
  }
  return errors
}

/** How many indexes `1,3-5` names, or what is wrong with the text. */
export function countIndexes(text: string, completions: number = Number.MAX_SAFE_INTEGER): number | string {
  if (text === '') return 0
  let total = 0
  let last: number | undefined
  for (const part of text.split(',')) {
    const ends = part.split('-')
    if (ends.length > 2) {
      return `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`
    }
    for (const end of ends) {
      const wrong = badIndex(end, last, completions)
      if (wrong !== undefined) return wrong
      total += ends.length === 2 && end === ends[1] ? Number(end) - (last ?? 0) : 1
      last = Number(end)
    }
  }
  return total
}

function badIndex(text: string, last: number | undefined, completions: number): string | undefined {
  if (!/^\d+$/.test(text)) return `cannot convert string to integer for index: ${JSON.stringify(text)}`
  const index = Number(text)
  if (index >= completions) return `too large index: ${JSON.stringify(text)}`
  if (last !== undefined && last >= index) return `non-increasing order, previous: ${last}, current: ${index}`
  return undefined
}
