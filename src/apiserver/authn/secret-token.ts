import { invalidSinceLabel } from '#api/core/v1/legacy-token.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { Secret } from '#api/types/core.v1.ts'
import { secrets, serviceAccounts } from '#api/types/resources.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import { peekClaims, verifyJwt, type TokenKey } from '../tokens/jwt.ts'
import { serviceAccountUserName } from '../tokens/service-account-claims.ts'
import { InvalidTokenError, type TokenAuthenticator } from './token-authenticator.ts'

const issuer = 'kubernetes/serviceaccount'
const claim = 'kubernetes.io/serviceaccount'

export interface SecretTokenOptions {
  readonly reader: ObjectReader
  readonly keys: readonly TokenKey[]
  /** Told of every use of a secret's token. */
  readonly used?: (secret: Secret) => void
}

/**
 * Checks tokens that live in a secret: good as long as secret and account are there, and the secret holds that very
 * token. They have no audience of their own, so they are good for this server alone.
 */
export function secretTokenAuthenticator(options: SecretTokenOptions): TokenAuthenticator {
  return {
    name: 'secret-token',
    authenticate(token, audiences) {
      if (peekClaims(token)?.['iss'] !== issuer) return undefined
      const claims = verifyJwt(token, options.keys)
      if (claims === undefined) throw new InvalidTokenError('invalid bearer token')
      return { user: userOf(claims, token, options), audiences }
    },
  }
}

function userOf(
  claims: Readonly<Record<string, unknown>>,
  token: string,
  { reader, used }: SecretTokenOptions,
): UserInfo {
  const [namespace, secretName, name, uid] = [
    'namespace',
    'secret.name',
    'service-account.name',
    'service-account.uid',
  ].map((part) => claims[`${claim}/${part}`])
  if (typeof namespace !== 'string' || typeof secretName !== 'string' || typeof name !== 'string' || !uid) {
    throw new InvalidTokenError('invalid bearer token')
  }
  if (claims['sub'] !== serviceAccountUserName(namespace, name)) {
    throw new InvalidTokenError('service account name claim is invalid')
  }
  const secret = reader.get(secrets, secretName, namespace)
  const isHeld = secret?.metadata.deletionTimestamp === undefined && secret?.data?.['token'] === encode(token)
  const account = reader.get(serviceAccounts, name, namespace)
  const isRevoked = secret?.metadata.labels?.[invalidSinceLabel] !== undefined
  const isOfAccount = account !== undefined && account.metadata.uid === uid
  // A refused try counts, too: somebody still needs the token.
  if (secret !== undefined && isHeld && isOfAccount) used?.(secret)
  if (!isHeld || isRevoked || !isOfAccount) {
    throw new InvalidTokenError('service account token has been invalidated')
  }
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
  return { name: serviceAccountUserName(namespace, name), uid: account.metadata.uid, groups }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}
