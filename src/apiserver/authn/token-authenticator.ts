import type { UserInfo } from '#api/meta/exchange.ts'

/** Knows one kind of bearer token. */
export interface TokenAuthenticator {
  readonly name: string
  /**
   * Who the token stands for, and for which of the wanted audiences. Undefined: not this kind of token. Throws
   * `InvalidTokenError` for a token of this kind that must not be accepted.
   */
  authenticate(token: string, audiences: readonly string[]): AuthenticatedToken | undefined
}

export interface AuthenticatedToken {
  readonly user: UserInfo
  readonly audiences: readonly string[]
}

/** Why a token was refused; the message never holds the token. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError'
}
