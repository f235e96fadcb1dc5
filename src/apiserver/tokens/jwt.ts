import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'

/**
 * JSON Web Tokens in the one form this cluster issues: ES256 (RFC 7515, RFC 7518 section 3.4). The algorithm comes from
 * the key, never from the token, so a token cannot choose how it is checked.
 */
export interface TokenKey {
  readonly id: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** Larger tokens are refused unread. */
const maxTokenLength = 8192

/** The key from its PKCS #8 PEM; its id is the hash of the public half, as Kubernetes derives it. */
export function tokenKey(privateKeyPem: string): TokenKey {
  const privateKey = createPrivateKey(privateKeyPem)
  const publicKey = createPublicKey(privateKey)
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  return { id, publicKey, privateKey }
}

/** The signed token. */
export function signJwt(claims: object, key: TokenKey): string {
  const header = { alg: 'ES256', kid: key.id }
  const input = `${encodePart(header)}.${encodePart(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** The claims without any check: only to choose who should check them. Undefined for what is not a JWT. */
export function peekClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  if (token.length > maxTokenLength) return undefined
  const parts = token.split('.')
  return parts.length === 3 && decodePart(parts[0]!) !== undefined ? decodePart(parts[1]!) : undefined
}

/** The claims if the signature is by one of the keys; otherwise undefined. Says nothing about time or audience. */
export function verifyJwt(token: string, keys: readonly TokenKey[]): Readonly<Record<string, unknown>> | undefined {
  if (token.length > maxTokenLength) return undefined
  const [head, body, signature, ...rest] = token.split('.')
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return undefined
  const header = decodePart(head)
  if (header === undefined || header['alg'] !== 'ES256' || header['crit'] !== undefined) return undefined
  const key = keys.find((candidate) => candidate.id === header['kid'])
  if (key === undefined) return undefined
  const bytes = Buffer.from(signature, 'base64url')
  const options = { key: key.publicKey, dsaEncoding: 'ieee-p1363' } as const
  if (bytes.length !== 64 || !verify('sha256', Buffer.from(`${head}.${body}`), options, bytes)) return undefined
  return decodePart(body)
}

function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodePart(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
