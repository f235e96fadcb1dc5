import type { PolicyRule } from '#api/types/rbac.v1.ts'
import type { AuthorizationAttributes } from '../request-info.ts'

const all = '*'

/** Whether one RBAC rule allows what is asked (API reference, `PolicyRule`). */
export function ruleAllows(rule: PolicyRule, asked: AuthorizationAttributes): boolean {
  if (!includesOrAll(rule.verbs, asked.verb)) return false
  return asked.isResourceRequest ? allowsResource(rule, asked) : allowsPath(rule.nonResourceURLs, asked.path)
}

function allowsResource(rule: PolicyRule, asked: AuthorizationAttributes): boolean {
  return (
    includesOrAll(rule.apiGroups, asked.group) &&
    coversResource(rule.resources, asked.resource, asked.subresource) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(asked.name))
  )
}

function includesOrAll(list: readonly string[] | undefined, wanted: string): boolean {
  return list !== undefined && (list.includes(wanted) || list.includes(all))
}

function coversResource(resources: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (resources === undefined) return false
  if (resources.includes(all)) return true
  if (subresource === '') return resources.includes(resource)
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`)
}

function allowsPath(urls: readonly string[] | undefined, path: string): boolean {
  return (
    urls?.some((url) => url === all || url === path || (url.endsWith(all) && path.startsWith(url.slice(0, -1)))) ??
    false
  )
}
