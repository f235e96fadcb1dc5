import type { ApiRequest, UserInfo } from '#api/meta/exchange.ts'
import { anonymousUser } from '../authn/authenticators.ts'
import type { ServerParts } from '../server-parts.ts'
import type { Step } from './step.ts'

/** Settles who asks: the first authenticator that knows the credential, or else the anonymous user. */
export const authenticate: Step = {
  name: 'authenticate',
  run(context) {
    const found = askAuthenticators(context.request, context.server, 0)
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

function askAuthenticators(request: ApiRequest, server: ServerParts, first: number): UserInfo | Promise<UserInfo> {
  for (let index = first; index < server.authenticators.length; index++) {
    const answer = server.authenticators[index]?.authenticate(request)
    if (answer instanceof Promise) {
      return answer.then((user) => user ?? askAuthenticators(request, server, index + 1))
    }
    if (answer !== undefined) return answer
  }
  return request.user ?? anonymousUser
}
