import { StatusError } from '#api/meta/status.ts'
import type { Authenticator } from './authenticator.ts'
import { InvalidTokenError, type AuthenticatedToken, type TokenAuthenticator } from './token-authenticator.ts'

/**
 * Asks every kind of token in turn. Throws `InvalidTokenError` when the token is bad or nobody knows it: an unknown
 * token is never treated as no token.
 */
export function authenticateToken(
  token: string,
  audiences: readonly string[],
  authenticators: readonly TokenAuthenticator[],
): AuthenticatedToken {
  for (const authenticator of authenticators) {
    const found = authenticator.authenticate(token, audiences)
    if (found !== undefined) return found
  }
  throw new InvalidTokenError('invalid bearer token')
}

/** Where a WebSocket client that cannot set headers puts its token. */
const protocolPrefix = 'base64url.bearer.authorization.k8s.io.'

/** `Authorization: Bearer …`, or the WebSocket protocol that carries a token. */
export function bearerAuthenticator(
  authenticators: readonly TokenAuthenticator[],
  audiences: readonly string[],
): Authenticator {
  return {
    name: 'bearer',
    authenticate(request) {
      const token = bearerToken(request.headers)
      if (token === undefined) return undefined
      try {
        return authenticateToken(token, audiences, authenticators).user
      } catch (error) {
        if (error instanceof InvalidTokenError) throw new StatusError('Unauthorized', 'Unauthorized', { cause: error })
        throw error
      }
    },
  }
}

function bearerToken(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(headers['authorization']?.trim() ?? '')
  if (match !== null) return match[1]
  if (headers['upgrade']?.toLowerCase() !== 'websocket') return undefined
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim())
  const carrier = protocols.find((protocol) => protocol.startsWith(protocolPrefix))
  return carrier === undefined
    ? undefined
    : Buffer.from(carrier.slice(protocolPrefix.length), 'base64url').toString('utf8')
}
