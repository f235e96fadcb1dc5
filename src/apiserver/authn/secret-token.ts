import type { UserInfo } from '#api/meta/exchange.ts'
import { secrets, serviceAccounts } from '#api/types/resources.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import { peekClaims, verifyJwt, type TokenKey } from '../tokens/jwt.ts'
import { serviceAccountUserName } from '../tokens/service-account-claims.ts'
import { InvalidTokenError, type TokenAuthenticator } from './token-authenticator.ts'

const issuer = 'kubernetes/serviceaccount'
const claim = 'kubernetes.io/serviceaccount'
const revokedLabel = 'kubernetes.io/legacy-token-invalid-since'

/**
 * Checks tokens that live in a secret: good as long as secret and account are there, and the secret holds that very
 * token. They have no audience of their own, so they are good for this server alone.
 */
export function secretTokenAuthenticator({
  reader,
  keys,
}: {
  readonly reader: ObjectReader
  readonly keys: readonly TokenKey[]
}): TokenAuthenticator {
  return {
    name: 'secret-token',
    authenticate(token, audiences) {
      if (peekClaims(token)?.['iss'] !== issuer) return undefined
      const claims = verifyJwt(token, keys)
      if (claims === undefined) throw new InvalidTokenError('invalid bearer token')
      return { user: userOf(claims, token, reader), audiences }
    },
  }
}

function userOf(claims: Readonly<Record<string, unknown>>, token: string, reader: ObjectReader): UserInfo {
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
  const isRevoked = secret?.metadata.labels?.[revokedLabel] !== undefined
  if (!isHeld || isRevoked || account?.metadata.uid !== uid) {
    throw new InvalidTokenError('service account token has been invalidated')
  }
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
  return { name: serviceAccountUserName(namespace, name), uid: account.metadata.uid, groups }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64')
}
