import { duplicate, invalidForEach, required } from '../../meta/field-errors.ts'
import { qualifiedName } from '../../meta/names.ts'
import type { FieldError } from '../../meta/status.ts'
import type { AuditAnnotation, Variable } from '../../types/admissionregistration.v1.ts'

/** Keys of audit annotations: with the policy's name before them they must be annotation keys, each once. */
export function validateAuditKeys(annotations: readonly AuditAnnotation[], policy: string, path: string): FieldError[] {
  const keys = annotations.map(({ key }) => key)
  return annotations.flatMap(({ key, valueExpression }, index) => {
    const at = `${path}[${index}]`
    const whole = `${policy}/${key}`
    return [
      ...invalidForEach(`${at}.key`, whole, qualifiedName(whole)),
      ...((valueExpression ?? '').trim() === ''
        ? [required(`${at}.valueExpression`, 'valueExpression is not specified')]
        : []),
      ...(keys.indexOf(key) < index ? [duplicate(`${at}.key`, key)] : []),
    ]
  })
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/

/** Names of variables: identifiers of CEL, each with an expression. */
export function validateVariableNames(variables: readonly Variable[], path: string): FieldError[] {
  return variables.flatMap(({ name, expression }, index) => {
    const at = `${path}[${index}]`
    const errors: FieldError[] = []
    if (!name || name.trim() === '') errors.push(required(`${at}.name`, 'name is not specified'))
    else if (!identifier.test(name)) {
      errors.push(...invalidForEach(`${at}.name`, name, ['name is not a valid CEL identifier']))
    }
    if ((expression ?? '').trim() === '') errors.push(required(`${at}.expression`, 'expression is not specified'))
    return errors
  })
}
