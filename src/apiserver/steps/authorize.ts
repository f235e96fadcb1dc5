import type { UserInfo } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { Decision } from '../authz/authorizer.ts'
import type { AuthorizationAttributes, RequestInfo } from '../request-info.ts'
import type { ServerParts } from '../server-parts.ts'
import type { Step } from './step.ts'

/** Refuses what no authorizer allows. */
export const authorize: Step = {
  name: 'authorize',
  run({ info, user, server }) {
    requireAllowed({ ...info, user }, server)
    return undefined
  },
}

/** Throws the `Forbidden` of a denied request. */
export function requireAllowed(attributes: AuthorizationAttributes, server: Pick<ServerParts, 'authorizers'>): void {
  const { decision, reason } = decide(attributes, server)
  if (decision !== 'allow') throw deniedError(attributes, attributes.user, reason)
}

/** The first opinion, or a denial. A server without authorizers allows everything. */
export function decide(attributes: AuthorizationAttributes, server: Pick<ServerParts, 'authorizers'>): Decision {
  if (server.authorizers.length === 0) return { decision: 'allow', reason: '' }
  const reasons: string[] = []
  for (const authorizer of server.authorizers) {
    const answer = authorizer.authorize(attributes)
    if (answer.decision !== 'noOpinion') return answer
    if (answer.reason !== '') reasons.push(answer.reason)
  }
  return { decision: 'deny', reason: reasons.join(', ') }
}

function deniedError(info: RequestInfo, user: UserInfo, reason: string): StatusError {
  const because = reason === '' ? '' : `: ${reason}`
  const who = `User ${JSON.stringify(user.name)}`
  if (!info.isResourceRequest) {
    const message = `forbidden: ${who} cannot ${info.verb} path ${JSON.stringify(info.path)}${because}`
    return new StatusError('Forbidden', message, { details: {} })
  }
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`
  const qualified = info.group === '' ? info.resource : `${info.resource}.${info.group}`
  const name = info.name === '' ? '' : ` ${JSON.stringify(info.name)}`
  const where = info.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(info.namespace)}`
  const what = `cannot ${info.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)}`
  const details = {
    ...(info.name !== '' && { name: info.name }),
    ...(info.group !== '' && { group: info.group }),
    kind: info.resource,
  }
  return new StatusError('Forbidden', `${qualified}${name} is forbidden: ${who} ${what} ${where}${because}`, {
    details,
  })
}
