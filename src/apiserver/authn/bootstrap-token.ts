import { timingSafeEqual } from 'node:crypto'
import { secrets } from '#api/types/resources.ts'
import type { Clock } from '#lib/clock.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import { InvalidTokenError, type TokenAuthenticator } from './token-authenticator.ts'

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

export interface BootstrapTokenOptions {
  readonly reader: ObjectReader
  readonly clock: Clock
}

/** Accepts `ID.SECRET` tokens kept as Secrets `kube-system/bootstrap-token-ID`: what a node joins with. */
export function bootstrapTokenAuthenticator(options: BootstrapTokenOptions): TokenAuthenticator {
  return {
    name: 'bootstrap-token',
    authenticate(token, audiences) {
      const match = tokenPattern.exec(token)
      if (match === null) return undefined
      const user = userFor(match[1]!, match[2]!, options)
      if (user === undefined) throw new InvalidTokenError('invalid bearer token')
      return { user, audiences }
    },
  }
}

function userFor(id: string, given: string, { reader, clock }: BootstrapTokenOptions) {
  const secret = reader.get(secrets, `bootstrap-token-${id}`, 'kube-system')
  if (secret?.type !== 'bootstrap.kubernetes.io/token' || secret.metadata.deletionTimestamp !== undefined)
    return undefined
  const value = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  const right = value('token-secret').length > 0 && equalInConstantTime(value('token-secret'), given)
  if (!right || value('token-id') !== id || value('usage-bootstrap-authentication') !== 'true') return undefined
  const expiration = value('expiration')
  if (expiration !== '' && !(Date.parse(expiration) > clock.now())) return undefined
  const groups = value('auth-extra-groups')
    .split(',')
    .filter((group) => group !== '')
  if (!groups.every((group) => groupPattern.test(group))) return undefined
  return { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...groups] }
}

function equalInConstantTime(kept: string, given: string): boolean {
  const [left, right] = [Buffer.from(kept), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}
