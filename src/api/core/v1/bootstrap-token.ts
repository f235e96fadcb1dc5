import { formatTime } from '#lib/clock.ts'
import type { New } from '../../meta/resource.ts'
import type { Secret } from '../../types/core.v1.ts'

/** Bootstrap tokens as Kubernetes keeps them (documentation page "Authenticating with Bootstrap Tokens"). */

export const bootstrapTokenNamespace = 'kube-system'
export const bootstrapTokenType = 'bootstrap.kubernetes.io/token'

export interface NewBootstrapToken {
  /** Six characters of a-z and 0-9: public. */
  readonly id: string
  /** Sixteen characters of a-z and 0-9. */
  readonly secret: string
  readonly description: string
  /** Absent: it never expires. */
  readonly expiresAtMs?: number
  /** Each begins with `system:bootstrappers:`. */
  readonly extraGroups: readonly string[]
}

/** What a stored token says, without its secret half. */
export interface BootstrapTokenFacts {
  readonly id: string
  readonly description: string
  readonly expiresAtMs: number | undefined
  readonly usages: readonly string[]
  readonly extraGroups: readonly string[]
}

export function bootstrapTokenName(id: string): string {
  return `bootstrap-token-${id}`
}

/** The Secret that makes the API server accept `ID.SECRET`, for authentication and for signing the cluster's discovery. */
export function bootstrapTokenSecret(token: NewBootstrapToken): New<Secret> {
  const { id, secret, description, expiresAtMs, extraGroups } = token
  const data = {
    'token-id': id,
    'token-secret': secret,
    ...(expiresAtMs !== undefined && { expiration: formatTime(expiresAtMs) }),
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    ...(extraGroups.length > 0 && { 'auth-extra-groups': extraGroups.join(',') }),
    ...(description !== '' && { description }),
  }
  return {
    metadata: { name: bootstrapTokenName(id), namespace: bootstrapTokenNamespace },
    type: bootstrapTokenType,
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  }
}

/** Reads a Secret of that type; undefined for any other and for one without an id. */
export function bootstrapTokenFacts(secret: Secret): BootstrapTokenFacts | undefined {
  if (secret.type !== bootstrapTokenType) return undefined
  const text = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  const id = text('token-id')
  if (id === '') return undefined
  const expiresAtMs = Date.parse(text('expiration'))
  return {
    id,
    description: text('description'),
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
    usages: ['authentication', 'signing'].filter((usage) => text(`usage-bootstrap-${usage}`) === 'true'),
    extraGroups: text('auth-extra-groups')
      .split(',')
      .filter((group) => group !== ''),
  }
}
