import { invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import type { FieldError } from '../../meta/status.ts'
import type { RuleWithOperations } from '../../types/admissionregistration.v1.ts'

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']

/** What a webhook or a policy applies to: operations, groups, versions, resources, scope. */
export function validateRule(rule: RuleWithOperations, path: string): FieldError[] {
  return [
    ...validateOperations(rule.operations ?? [], `${path}.operations`),
    ...validateNames(rule.apiGroups ?? [], 'API groups', `${path}.apiGroups`, true),
    ...validateNames(rule.apiVersions ?? [], 'API versions', `${path}.apiVersions`, false),
    ...validateResources(rule.resources ?? [], `${path}.resources`),
    ...validateScope(rule.scope, `${path}.scope`),
  ]
}

function validateOperations(list: readonly string[], path: string): FieldError[] {
  if (list.length === 0) return [required(path)]
  const errors: FieldError[] = []
  if (list.length > 1 && list.includes('*')) {
    errors.push(invalidValue(path, list, "if '*' is present, must not specify other operations"))
  }
  for (const [index, operation] of list.entries()) {
    if (!operations.includes(operation)) errors.push(notSupported(`${path}[${index}]`, operation, operations))
  }
  return errors
}

function validateNames(list: readonly string[], noun: string, path: string, emptyIsCore: boolean): FieldError[] {
  if (list.length === 0) return [required(path)]
  const errors: FieldError[] = []
  if (list.length > 1 && list.includes('*')) {
    errors.push(invalidValue(path, list, `if '*' is present, must not specify other ${noun}`))
  }
  if (emptyIsCore) return errors
  for (const [index, name] of list.entries()) if (name === '') errors.push(required(`${path}[${index}]`))
  return errors
}

function validateResources(list: readonly string[], path: string): FieldError[] {
  if (list.length === 0) return [required(path)]
  const errors: FieldError[] = []
  const whole = list.filter((name) => name.endsWith('/*')).map((name) => name.slice(0, -2))
  const everySub = list.filter((name) => name.startsWith('*/')).map((name) => name.slice(2))
  for (const [index, name] of list.entries()) {
    const at = `${path}[${index}]`
    const [resource = '', subresource] = name.split('/', 2)
    if (name === '') errors.push(required(at))
    else if (subresource !== undefined && subresource !== '*' && whole.includes(resource)) {
      errors.push(invalidValue(at, name, `if '${resource}/*' is present, must not specify ${name}`))
    } else if (subresource !== undefined && resource !== '*' && everySub.includes(subresource)) {
      errors.push(invalidValue(at, name, `if '*/${subresource}' is present, must not specify ${name}`))
    }
  }
  if (list.length > 1 && list.includes('*/*')) {
    errors.push(invalidValue(path, list, "if '*/*' is present, must not specify other resources"))
  }
  if (list.includes('*') && list.some((name) => name !== '*' && !name.includes('/'))) {
    const detail = "if '*' is present, must not specify other resources without subresources"
    errors.push(invalidValue(path, list, detail))
  }
  return errors
}

function validateScope(scope: string | undefined, path: string): FieldError[] {
  const scopes = ['*', 'Cluster', 'Namespaced']
  return scope === undefined || scopes.includes(scope) ? [] : [notSupported(path, scope, scopes)]
}
