/**
 * What a machine needs to join a cluster over a network that nobody trusts, in one word: a bootstrap token, which proves
 * the machine to the server, and the hash of the public key of the cluster's authority, which proves the server to the
 * machine. Written `ID.SECRET.sha256-HEX`.
 */
export interface JoinToken {
  /** `ID.SECRET`: what is sent to the server. */
  readonly bearer: string
  /** SHA-256 of the authority's public key, 64 hex digits. */
  readonly authorityHash: string
}

const bearerPattern = /^[a-z0-9]{6}\.[a-z0-9]{16}$/
const whole = /^([a-z0-9]{6}\.[a-z0-9]{16})\.sha256-([0-9a-f]{64})$/

export function formatJoinToken({ bearer, authorityHash }: JoinToken): string {
  return `${bearer}.sha256-${authorityHash}`
}

/** Throws an Error whose message says what is wrong, without repeating the token: it holds a secret. */
export function parseJoinToken(text: string): JoinToken {
  const [, bearer, authorityHash] = whole.exec(text.trim()) ?? []
  if (bearer !== undefined && authorityHash !== undefined) return { bearer, authorityHash }
  const why = bearerPattern.test(text.trim())
    ? 'it lacks the part that proves the server to this machine'
    : 'it does not look like ID.SECRET.sha256-HASH'
  throw new Error(`Cannot use the token: ${why}. Print a whole one on the server with "coracle token create"`)
}
