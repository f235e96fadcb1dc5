import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { UserInfo } from '#api/meta/exchange.ts'
import { tokenReviews } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { Clock } from '#lib/clock.ts'
import { AnswerCache } from './answer-cache.ts'
import { userOf } from './kubelet-access.ts'

/** Whose token it is; `undefined`: nobody's. Rejects when that cannot be found out. */
export type TokenReviewer = (token: string) => Promise<UserInfo | undefined>

export interface AuthenticationOptions {
  /** Absent: bearer tokens are not believed. */
  readonly reviewToken?: TokenReviewer
  /** Whether those who show nothing get in as `system:anonymous`. */
  readonly allowsAnonymous: boolean
}

const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

/** Who asks: by a client certificate, by a bearer token, or nobody in particular. A bad token is worse than none. */
export async function authenticate(
  request: IncomingMessage,
  { reviewToken, allowsAnonymous }: AuthenticationOptions,
): Promise<UserInfo | undefined> {
  const owner = userOf(request.socket as TLSSocket)
  if (owner !== undefined) return owner
  const [, token] = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  if (token !== undefined && reviewToken !== undefined) return reviewToken(token)
  return allowsAnonymous && request.headers.authorization === undefined ? anonymous : undefined
}

/** Asks the API server whose tokens they are, and remembers that for a while. */
export function tokenReviewer(client: Client, clock: Clock, lifetimeMs: number): TokenReviewer {
  const cache = new AnswerCache<UserInfo | undefined>(clock, () => lifetimeMs)
  return (token) =>
    // Tokens themselves are not kept.
    cache.get(createHash('sha256').update(token).digest('base64'), async () => {
      const { status } = await client.resource(tokenReviews).create({ metadata: {}, spec: { token } } as never)
      const { username = '', uid, groups = [], extra } = status?.user ?? {}
      if (status?.authenticated !== true) return undefined
      return { name: username, groups, ...(uid && { uid }), ...(extra && { extra }) }
    })
}
