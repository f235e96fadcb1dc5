import { createHash } from 'node:crypto'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { nodes, pods, secrets, serviceAccounts } from '#api/types/resources.ts'
import type { Clock } from '#lib/clock.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import { peekClaims, verifyJwt, type TokenKey } from '../tokens/jwt.ts'
import {
  parseClaims,
  serviceAccountUserName,
  type ObjectClaim,
  type ServiceAccountClaims,
} from '../tokens/service-account-claims.ts'
import { InvalidTokenError, type TokenAuthenticator } from './token-authenticator.ts'

export interface ServiceAccountTokenOptions {
  readonly reader: ObjectReader
  readonly clock: Clock
  readonly keys: readonly TokenKey[]
  readonly issuer: string
}

/** Deleted objects stay good for tokens this long, so that a terminating pod can say goodbye. */
const deletionLeewayMs = 60_000
/** Verified signatures remembered; the oldest goes first. Time, audience and objects are checked on every use. */
const verifiedMax = 4096

/** A token whose signature was right; the user is the same object each time. */
interface Verified {
  readonly claims: ServiceAccountClaims
  readonly user: UserInfo
}

/** Checks tokens made by `createTokenIssuer`: signature, issuer, time, audience, and that all objects named still exist. */
export function serviceAccountTokenAuthenticator(options: ServiceAccountTokenOptions): TokenAuthenticator {
  const verified = new Map<string, Verified>()
  const verify = (token: string): Verified | undefined => {
    const key = createHash('sha256').update(token).digest('base64')
    const known = verified.get(key)
    if (known !== undefined) return known
    if (peekClaims(token)?.['iss'] !== options.issuer) return undefined
    const claims = verifyJwt(token, options.keys)
    const parsed = claims === undefined ? undefined : parseClaims(claims)
    if (parsed === undefined) throw new InvalidTokenError('invalid bearer token')
    const oldest = verified.size >= verifiedMax ? verified.keys().next().value : undefined
    if (oldest !== undefined) verified.delete(oldest)
    const made = { claims: parsed, user: userOf(parsed) }
    verified.set(key, made)
    return made
  }
  return {
    name: 'service-account-token',
    authenticate(token, audiences) {
      const found = verify(token)
      if (found === undefined) return undefined
      const { claims, user } = found
      checkTime(claims, options.clock.now() / 1000)
      const common = audiences.filter((audience) => claims.aud.includes(audience))
      if (common.length === 0) {
        const list = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(' ')}]`
        throw new InvalidTokenError(
          `token audiences ${list(claims.aud)} is invalid for the target audiences ${list(audiences)}`,
        )
      }
      checkObjects(claims, options)
      return { user, audiences: common }
    },
  }
}

function checkTime(claims: ServiceAccountClaims, nowSeconds: number): void {
  if (nowSeconds >= claims.exp) throw new InvalidTokenError('service account token has expired')
  if (nowSeconds < claims.nbf) throw new InvalidTokenError('service account token is not valid yet')
}

function checkObjects(claims: ServiceAccountClaims, { reader, clock }: ServiceAccountTokenOptions): void {
  const own = claims['kubernetes.io']
  const check = (claim: ObjectClaim, object: KubernetesObject | undefined): void => {
    const deletedAt = object?.metadata.deletionTimestamp
    const gone = deletedAt !== undefined && Date.parse(deletedAt) < clock.now() - deletionLeewayMs
    if (object === undefined || gone || object.metadata.uid !== claim.uid) {
      throw new InvalidTokenError('service account token has been invalidated')
    }
  }
  if (claims.sub !== serviceAccountUserName(own.namespace, own.serviceaccount.name)) {
    throw new InvalidTokenError('service account name claim is invalid')
  }
  check(own.serviceaccount, reader.get(serviceAccounts, own.serviceaccount.name, own.namespace))
  if (own.pod !== undefined) check(own.pod, reader.get(pods, own.pod.name, own.namespace))
  else if (own.node !== undefined) check(own.node, reader.get(nodes, own.node.name))
  if (own.secret !== undefined) check(own.secret, reader.get(secrets, own.secret.name, own.namespace))
}

function userOf(claims: ServiceAccountClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  const extra: Record<string, readonly string[]> = {
    'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
  }
  const add = (kind: string, claim: ObjectClaim | undefined): void => {
    if (claim === undefined) return
    extra[`authentication.kubernetes.io/${kind}-name`] = [claim.name]
    extra[`authentication.kubernetes.io/${kind}-uid`] = [claim.uid]
  }
  add('node', node)
  add('pod', pod)
  return {
    name: serviceAccountUserName(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra,
  }
}
