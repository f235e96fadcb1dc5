import { badRequest } from '#api/meta/status.ts'

/** Where the next page of a list begins. */
export interface ContinueToken {
  /** The revision all pages are read at; 0: now, a page that may not fit the ones before. */
  readonly revision: number
  /** Key of the last object of the page before, relative to the collection. */
  readonly after: string
}

const version = 'meta.k8s.io/v1'

/** The token as clients carry it: opaque, URL-safe. */
export function writeContinueToken(token: ContinueToken): string {
  const json = JSON.stringify({ v: version, rv: token.revision === 0 ? -1 : token.revision, start: `${token.after}\0` })
  return Buffer.from(json).toString('base64url')
}

/** Reads a token; throws `BadRequest` for one that this server cannot have written. */
export function readContinueToken(text: string): ContinueToken {
  const invalid = (why: string): Error => badRequest(`continue key is not valid: ${why}`)
  if (!/^[A-Za-z0-9_-]+=*$/.test(text)) throw invalid('illegal base64 data at input byte 0')
  let token: unknown
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    throw invalid('the token cannot be read')
  }
  const { v, rv, start } = (token ?? {}) as Record<string, unknown>
  if (v !== version) throw invalid(`server does not recognize this encoded version ${JSON.stringify(v ?? '')}`)
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw invalid('incorrect encoded start resourceVersion')
  if (typeof start !== 'string' || start === '') throw invalid('encoded start key empty')
  return { revision: rv < 0 ? 0 : rv, after: start.endsWith('\0') ? start.slice(0, -1) : start }
}
