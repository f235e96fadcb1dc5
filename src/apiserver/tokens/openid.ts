import type { TokenKey } from './jwt.ts'

/** The answer of `/openid/v1/jwks` (RFC 7517): the public keys that verify service-account tokens. */
export function jsonWebKeySet(keys: readonly TokenKey[]): object {
  return {
    keys: keys.map((key) => {
      const { kty, crv, x, y } = key.publicKey.export({ format: 'jwk' })
      return { use: 'sig', kty, kid: key.id, crv, alg: 'ES256', x, y }
    }),
  }
}

/** The answer of `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, the parts that Kubernetes serves). */
export function openIdConfiguration(issuer: string, serverUrl: string): object {
  return {
    issuer,
    jwks_uri: new URL('/openid/v1/jwks', serverUrl).href,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}

/** Content types of both documents. */
export const jwksContentType = 'application/jwk-set+json'
export const openIdConfigurationContentType = 'application/json'
