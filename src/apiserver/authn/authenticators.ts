import type { UserInfo } from '#api/meta/exchange.ts'
import { StatusError } from '#api/meta/status.ts'
import type { Secret } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import type { TokenKey } from '../tokens/jwt.ts'
import type { Authenticator } from './authenticator.ts'
import { bearerAuthenticator } from './bearer.ts'
import { bootstrapTokenAuthenticator } from './bootstrap-token.ts'
import { secretTokenAuthenticator } from './secret-token.ts'
import { serviceAccountTokenAuthenticator } from './service-account-token.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

export interface AuthenticatorOptions {
  readonly reader: ObjectReader
  readonly clock: Clock
  /** Keys that may have signed service-account tokens. */
  readonly keys: readonly TokenKey[]
  readonly issuer: string
  /** Told of every use of a token that lives in a secret. */
  readonly used?: (secret: Secret) => void
  /** Audiences of this server. */
  readonly audiences: readonly string[]
}

/** Who asks when nobody says otherwise. */
export const anonymousUser: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** Kinds of bearer tokens, for requests and for TokenReview alike. */
export function tokenAuthenticators(options: AuthenticatorOptions): readonly TokenAuthenticator[] {
  return [
    serviceAccountTokenAuthenticator(options),
    secretTokenAuthenticator(options),
    bootstrapTokenAuthenticator(options),
  ]
}

/**
 * Everything the pipeline asks, in order: the transport's own word (client certificate, in-process identity), then
 * bearer tokens. Every user found belongs to `system:authenticated` too; with no credential at all the pipeline uses
 * `anonymousUser`.
 */
export function createAuthenticators(options: AuthenticatorOptions): readonly Authenticator[] {
  const bearer = bearerAuthenticator(tokenAuthenticators(options), options.audiences)
  return [addingGroup(transport), addingGroup(bearer)]
}

/** Trusts `ApiRequest.user`: a listener sets it only from a verified certificate, the in-process transport only from code. */
const transport: Authenticator = { name: 'transport', authenticate: ({ user }) => user }

/** Gives the same object for the same user, so that later steps can keep what they found out about it. */
function addingGroup(inner: Authenticator): Authenticator {
  const known = new WeakMap<UserInfo, UserInfo>()
  const add = (user: UserInfo | undefined): UserInfo | undefined => {
    if (user === undefined) return undefined
    const found = known.get(user) ?? asAuthenticated(user)
    known.set(user, found)
    return found
  }
  return {
    name: inner.name,
    authenticate(request) {
      const found = inner.authenticate(request)
      return found instanceof Promise ? found.then(add) : add(found)
    },
  }
}

/** The user with `system:authenticated` among its groups. A user without a name is refused. */
export function asAuthenticated(user: UserInfo): UserInfo {
  if (user.name === '') throw new StatusError('Unauthorized', 'Unauthorized')
  if (user.groups.includes('system:authenticated') || user.groups.includes('system:unauthenticated')) return user
  return { ...user, groups: [...user.groups, 'system:authenticated'] }
}
