import { notSupported, required, tooMany } from '../../../meta/field-errors.ts'
import type { FieldError } from '../../../meta/status.ts'
import type { Container, ContainerRestartRule } from '../../../types/core.v1.ts'

const policies = ['Always', 'Never', 'OnFailure']
const actions = ['Restart', 'RestartAllContainers']
const operators = ['In', 'NotIn']
const mostRules = 20
const mostExitCodes = 255

/** When a container starts again, whatever the pod says (KEP-5307). */
export function validateRestartPolicy(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (restartPolicy === undefined) {
    if (rules.length === 0) return []
    errors.push(required(`${path}.restartPolicy`, needsPolicy))
  } else if (!policies.includes(restartPolicy)) {
    errors.push(notSupported(`${path}.restartPolicy`, restartPolicy, policies))
  }
  if (rules.length > mostRules) errors.push(tooMany(`${path}.restartPolicyRules`, rules.length, mostRules))
  return [...errors, ...rules.flatMap((rule, index) => validateRule(rule, `${path}.restartPolicyRules[${index}]`))]
}

const needsPolicy = 'must specify restartPolicy when restart rules are used'

/** Without a policy nothing else of the rules of an init container is looked at. */
export function validateInitRestartPolicy(container: Container, path: string): FieldError[] {
  const { restartPolicy, restartPolicyRules: rules = [] } = container
  if (restartPolicy !== undefined) return validateRestartPolicy(container, path)
  return rules.length > 0 ? [required(`${path}.restartPolicy`, needsPolicy)] : []
}

function validateRule({ action, exitCodes }: ContainerRestartRule, path: string): FieldError[] {
  const errors = actions.includes(action) ? [] : [notSupported(`${path}.action`, action ?? '', actions)]
  if (exitCodes === undefined) return [...errors, required(`${path}.exitCodes`, 'must be specified')]
  const { operator, values = [] } = exitCodes
  if (!operators.includes(operator)) errors.push(notSupported(`${path}.exitCodes.operator`, operator ?? '', operators))
  if (values.length <= mostExitCodes) return errors
  return [...errors, tooMany(`${path}.exitCodes.values`, values.length, mostExitCodes)]
}
