import type { ObjectReader } from '../registry/object-reader.ts'
import type { AuthorizationAttributes } from '../request-info.ts'
import type { Authorizer, Decision } from './authorizer.ts'
import { nodeAuthorizer } from './node-authorizer.ts'
import { rbacAuthorizer } from './rbac-authorizer.ts'
import { GrantIndex } from './rbac-grants.ts'

/** Health answers are everybody's, so that probes work before any role exists. */
const openPaths: readonly string[] = ['/healthz', '/livez', '/readyz']

const pathAuthorizer: Authorizer = {
  name: 'AlwaysAllowPaths',
  authorize: ({ isResourceRequest, path, verb }) =>
    !isResourceRequest && (verb === 'get' || verb === 'head') && openPaths.includes(path)
      ? { decision: 'allow', reason: '' }
      : { decision: 'noOpinion', reason: '' },
}

/** `system:masters` may do everything, whatever the roles say: the way back in when RBAC is broken. */
const mastersAuthorizer: Authorizer = {
  name: 'SystemMasters',
  authorize: ({ user }) => ({ decision: user.groups.includes('system:masters') ? 'allow' : 'noOpinion', reason: '' }),
}

/** The authorizers of a cluster (`Node,RBAC`), in the order they are asked. */
export function createAuthorizers(reader: ObjectReader): readonly Authorizer[] {
  return [mastersAuthorizer, pathAuthorizer, nodeAuthorizer(reader), rbacAuthorizer(new GrantIndex(reader))]
}

/** Asks all in order. Without any opinion the decision is `noOpinion` with every reason given: a denial. */
export function authorizeByAll(authorizers: readonly Authorizer[], asked: AuthorizationAttributes): Decision {
  const reasons: string[] = []
  for (const authorizer of authorizers) {
    const decision = authorizer.authorize(asked)
    if (decision.decision !== 'noOpinion') return decision
    if (decision.reason !== '') reasons.push(decision.reason)
  }
  return { decision: 'noOpinion', reason: reasons.join('\n') }
}
