import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'
import type { ServerParts } from '../server-parts.ts'
import type { Step } from './step.ts'

/** Settles who asks: the first authenticator that knows the credential, or else the anonymous user. */
export const authenticate: Step = {
  name: 'authenticate',
  run(context) {
    const found = userOf(context.request, context.server)
    if (!(found instanceof Promise)) {
      context.user = found
      return undefined
    }
    return found.then((user) => {
      context.user = user
      return undefined
    })
  },
}

function userOf(request: ApiRequest, server: ServerParts): UserInfo | Promise<UserInfo> {
  if (request.user !== undefined) return request.user
  return askAuthenticators(request, server, 0)
}

function askAuthenticators(request: ApiRequest, server: ServerParts, first: number): UserInfo | Promise<UserInfo> {
  for (let index = first; index < server.authenticators.length; index++) {
    const answer = server.authenticators[index]?.authenticate(request)
    if (answer instanceof Promise) {
      return answer.then((user) => (user ? authenticated(user) : askAuthenticators(request, server, index + 1)))
    }
    if (answer !== undefined) return authenticated(answer)
  }
  return anonymous
}

const authenticatedGroup = 'system:authenticated'

function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(authenticatedGroup) || user.name === anonymous.name) return user
  return { ...user, groups: [...user.groups, authenticatedGroup] }
}

export const anonymous: UserInfo = Object.freeze({
  name: 'system:anonymous',
  groups: Object.freeze(['system:unauthenticated']),
})
