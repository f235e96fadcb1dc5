/** An object that a token names: by name for people, by uid for the check. */
export interface ObjectClaim {
  readonly name: string
  readonly uid: string
}

/** What a bound service-account token says (KEP-1205). Times are seconds since the epoch. */
export interface ServiceAccountClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: readonly string[]
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  readonly jti: string
  readonly 'kubernetes.io': {
    readonly namespace: string
    readonly serviceaccount: ObjectClaim
    readonly pod?: ObjectClaim
    readonly secret?: ObjectClaim
    readonly node?: ObjectClaim
    readonly warnafter?: number
  }
}

export function serviceAccountUserName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`
}

/** The claims if every part has the right shape; otherwise undefined. */
export function parseClaims(claims: Readonly<Record<string, unknown>>): ServiceAccountClaims | undefined {
  const own = claims['kubernetes.io']
  const numbers = ['iat', 'nbf', 'exp'].every((name) => Number.isFinite(claims[name]))
  const texts = ['iss', 'sub'].every((name) => typeof claims[name] === 'string')
  const audiences = typeof claims['aud'] === 'string' ? [claims['aud']] : claims['aud']
  if (!numbers || !texts || !isTextList(audiences) || !isRecord(own) || typeof own['namespace'] !== 'string')
    return undefined
  const bound = ['pod', 'secret', 'node'].map((name) => own[name])
  if (!isObjectClaim(own['serviceaccount']) || !bound.every((claim) => claim === undefined || isObjectClaim(claim))) {
    return undefined
  }
  return { ...claims, aud: audiences } as unknown as ServiceAccountClaims
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isObjectClaim(value: unknown): value is ObjectClaim {
  return isRecord(value) && typeof value['name'] === 'string' && typeof value['uid'] === 'string' && value['uid'] !== ''
}
