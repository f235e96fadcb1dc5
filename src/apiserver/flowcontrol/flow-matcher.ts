import type { UserInfo } from '#api/meta/exchange.ts'
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '#api/types/flowcontrol.v1.ts'
import type { RequestInfo } from '../request-info.ts'

/** What a request belongs to: the schema that took it, and whose requests queue together with it. */
export interface Flow {
  readonly schema: FlowSchema
  /** Of the schema's kind: the user's name, the namespace, or empty where the schema is one flow. */
  readonly distinguisher: string
}

/**
 * Finds the flow schema of a request (documentation, "API Priority and Fairness"): the one with the lowest
 * `matchingPrecedence` of those with a matching rule, by name among equals; undefined if none matches.
 */
export function flowMatcher(schemas: readonly FlowSchema[]): (info: RequestInfo, user: UserInfo) => Flow | undefined {
  const ordered = schemas.toSorted(
    (a, b) => precedence(a) - precedence(b) || (a.metadata.name < b.metadata.name ? -1 : 1),
  )
  /** Which schemas name a user at all: the same for all requests of a connection. */
  const known = new WeakMap<UserInfo, readonly Candidate[]>()
  return (info, user) => {
    let candidates = known.get(user)
    if (candidates === undefined) {
      candidates = candidatesOf(ordered, user)
      known.set(user, candidates)
    }
    for (const { schema, rules } of candidates) {
      for (const rule of rules) if (ruleMatches(rule, info)) return flowOf(schema, info, user)
    }
    return undefined
  }
}

interface Candidate {
  readonly schema: FlowSchema
  readonly rules: readonly PolicyRulesWithSubjects[]
}

const defaultPrecedence = 1000

function precedence({ spec }: FlowSchema): number {
  return spec.matchingPrecedence ?? defaultPrecedence
}

function candidatesOf(schemas: readonly FlowSchema[], user: UserInfo): Candidate[] {
  return schemas
    .map((schema) => ({ schema, rules: (schema.spec.rules ?? []).filter((rule) => names(rule.subjects, user)) }))
    .filter(({ rules }) => rules.length > 0)
}

function flowOf(schema: FlowSchema, info: RequestInfo, user: UserInfo): Flow {
  const method = schema.spec.distinguisherMethod?.type
  return {
    schema,
    distinguisher: method === 'ByUser' ? user.name : method === 'ByNamespace' ? info.namespace : '',
  }
}

function names(subjects: readonly Subject[], user: UserInfo): boolean {
  return subjects.some(({ kind, user: named, group, serviceAccount }) => {
    if (kind === 'User') return named?.name === '*' || named?.name === user.name
    if (kind === 'Group') return group?.name === '*' || (group !== undefined && user.groups.includes(group.name))
    if (kind !== 'ServiceAccount' || serviceAccount === undefined) return false
    const prefix = `system:serviceaccount:${serviceAccount.namespace}:`
    return serviceAccount.name === '*' ? user.name.startsWith(prefix) : user.name === prefix + serviceAccount.name
  })
}

function ruleMatches({ resourceRules, nonResourceRules }: PolicyRulesWithSubjects, info: RequestInfo): boolean {
  if (info.isResourceRequest) return resourceRules?.some((rule) => resourceMatches(rule, info)) ?? false
  return nonResourceRules?.some((rule) => pathMatches(rule, info)) ?? false
}

function resourceMatches(rule: ResourcePolicyRule, info: RequestInfo): boolean {
  if (!includes(rule.verbs, info.verb) || !includes(rule.apiGroups, info.group)) return false
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`
  if (!includes(rule.resources, resource)) return false
  return info.namespace === '' ? rule.clusterScope === true : includes(rule.namespaces ?? [], info.namespace)
}

function pathMatches({ verbs, nonResourceURLs }: NonResourcePolicyRule, { verb, path }: RequestInfo): boolean {
  if (!includes(verbs, verb)) return false
  return nonResourceURLs.some((url) => url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))))
}

function includes(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value)
}
