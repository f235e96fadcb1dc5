import { duplicate, invalidForEach, required, tooMany } from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { MatchCondition } from '../../types/admissionregistration.v1.ts'

const maxConditions = 64

/** Named conditions on requests; `check` finds what is wrong with the expression of one. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[],
  path: string,
  check: (expression: string, path: string) => readonly FieldError[],
): FieldError[] {
  const names = conditions.map(({ name }) => name)
  const errors = conditions.length > maxConditions ? [tooMany(path, conditions.length, maxConditions)] : []
  for (const [index, { name, expression }] of conditions.entries()) {
    const at = `${path}[${index}]`
    const field = `${at}.expression`
    errors.push(...((expression ?? '').trim() === '' ? [required(field)] : check(expression, field)))
    errors.push(...(name ? invalidForEach(`${at}.name`, name, qualifiedName(name)) : [required(`${at}.name`)]))
    if (name && names.indexOf(name) < index) errors.push(duplicate(`${at}.name`, name))
  }
  return errors
}
