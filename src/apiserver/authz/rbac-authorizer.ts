import type { UserInfo } from '#api/meta/exchange.ts'
import type { AuthorizationAttributes } from '../request-info.ts'
import type { Authorizer, Decision } from './authorizer.ts'
import type { GrantIndex, Grants } from './rbac-grants.ts'
import { ruleAllows } from './rule-match.ts'

/** Decisions and grants kept while no role or binding changes; when full they are all forgotten. */
const keptMax = 8192

/** Role-based access control over the roles and bindings in the cluster. */
export function rbacAuthorizer(index: GrantIndex): Authorizer {
  let version: readonly unknown[] = []
  const decisions = new Map<string, Decision>()
  const grants = new Map<string, Grants>()
  const forgetIfChanged = (): void => {
    const now = index.version()
    if (now.every((list, position) => list === version[position])) return
    version = now
    decisions.clear()
    grants.clear()
  }
  const grantsOf = (user: UserInfo, identity: string, namespace: string): Grants =>
    remember(grants, `${namespace}\0${identity}`, () => index.grantsOf(user, namespace))
  return {
    name: 'RBAC',
    authorize(asked) {
      forgetIfChanged()
      const identity = `${asked.user.name}\0${asked.user.groups.join('\0')}`
      const namespace = asked.isResourceRequest ? asked.namespace : ''
      const key = `${questionKey(asked)}\0\0${identity}`
      return remember(decisions, key, () => decide(asked, grantsOf(asked.user, identity, namespace)))
    },
  }
}

function remember<Value>(kept: Map<string, Value>, key: string, make: () => Value): Value {
  const known = kept.get(key)
  if (known !== undefined) return known
  if (kept.size >= keptMax) kept.clear()
  const made = make()
  kept.set(key, made)
  return made
}

function questionKey(asked: AuthorizationAttributes): string {
  if (!asked.isResourceRequest) return `${asked.verb}\0${asked.path}`
  return `${asked.verb}\0${asked.group}\0${asked.resource}\0${asked.subresource}\0${asked.namespace}\0${asked.name}`
}

function decide(asked: AuthorizationAttributes, { grants, errors }: Grants): Decision {
  const grant = grants.find(({ rules }) => rules.some((rule) => ruleAllows(rule, asked)))
  if (grant !== undefined) return { decision: 'allow', reason: `RBAC: allowed by ${grant.description}` }
  const unique = [...new Set(errors)]
  const reason = unique.length === 0 ? '' : `RBAC: ${unique.length === 1 ? unique[0] : `[${unique.join(', ')}]`}`
  return { decision: 'noOpinion', reason }
}
