import { createHmac } from 'node:crypto'

/** A detached JWS (RFC 7515, appendix F; HS256) of the text by a bootstrap token. */
export function detachedSignature(text: string, token: { readonly id: string; readonly secret: string }): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: token.id })).toString('base64url')
  const payload = Buffer.from(text).toString('base64url')
  const signature = createHmac('sha256', token.secret).update(`${header}.${payload}`).digest('base64url')
  return `${header}..${signature}`
}
