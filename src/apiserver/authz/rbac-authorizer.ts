import type { UserInfo } from '#api/meta/exchange.ts'
import type { AuthorizationAttributes } from '../request-info.ts'
import type { Authorizer, Decision } from './authorizer.ts'
import type { GrantIndex, Grants } from './rbac-grants.ts'
import { ruleAllows } from './rule-match.ts'

/** Users whose rights are kept while no role or binding changes, and decisions kept for each; when full, all are forgotten. */
const usersMax = 4096
const decisionsMax = 1024

/** Role-based access control over the roles and bindings in the cluster. */
export function rbacAuthorizer(index: GrantIndex): Authorizer {
  let version: readonly unknown[] = []
  let users = new Map<string, UserRights>()
  let known = new WeakMap<UserInfo, UserRights>()
  const forgetIfChanged = (): void => {
    const now = index.version()
    if (now.every((list, position) => list === version[position])) return
    version = now
    users = new Map()
    known = new WeakMap()
  }
  const rightsOf = (user: UserInfo): UserRights => {
    const kept = known.get(user)
    if (kept !== undefined) return kept
    const identity = JSON.stringify([user.name, user.groups])
    const rights = remember(users, identity, usersMax, () => new UserRights(index, user))
    known.set(user, rights)
    return rights
  }
  return {
    name: 'RBAC',
    authorize(asked) {
      forgetIfChanged()
      return rightsOf(asked.user).decide(asked)
    },
  }
}

/** What one user may do, found out as it is asked. */
class UserRights {
  readonly #index: GrantIndex
  readonly #user: UserInfo
  readonly #grants = new Map<string, Grants>()
  readonly #decisions = new Map<string, Decision>()

  constructor(index: GrantIndex, user: UserInfo) {
    this.#index = index
    this.#user = user
  }

  decide(asked: AuthorizationAttributes): Decision {
    const namespace = asked.isResourceRequest ? asked.namespace : ''
    const grants = remember(this.#grants, namespace, decisionsMax, () => this.#index.grantsOf(this.#user, namespace))
    return remember(this.#decisions, questionKey(asked, grants), decisionsMax, () => decide(asked, grants))
  }
}

function remember<Value>(kept: Map<string, Value>, key: string, max: number, make: () => Value): Value {
  const known = kept.get(key)
  if (known !== undefined) return known
  if (kept.size >= max) kept.clear()
  const made = make()
  kept.set(key, made)
  return made
}

/** Names of objects matter only where some rule names objects: without them one answer serves for all. */
function questionKey(asked: AuthorizationAttributes, { dependsOnNames }: Grants): string {
  if (!asked.isResourceRequest) return `${asked.verb}\0${asked.path}`
  const kind = `${asked.verb}\0${asked.group}\0${asked.resource}\0${asked.subresource}\0${asked.namespace}`
  return `${kind}\0${dependsOnNames ? asked.name : ''}`
}

function decide(asked: AuthorizationAttributes, { grants, errors }: Grants): Decision {
  const grant = grants.find(({ rules }) => rules.some((rule) => ruleAllows(rule, asked)))
  if (grant !== undefined) return { decision: 'allow', reason: `RBAC: allowed by ${grant.description}` }
  const unique = [...new Set(errors)]
  const reason = unique.length === 0 ? '' : `RBAC: ${unique.length === 1 ? unique[0] : `[${unique.join(', ')}]`}`
  return { decision: 'noOpinion', reason }
}
