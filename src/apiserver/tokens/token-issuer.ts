import { conflict, invalid, notFound, StatusError, type FieldError } from '#api/meta/status.ts'
import type { BoundObjectReference, TokenRequest } from '#api/types/authentication.v1.ts'
import type { ServiceAccount } from '#api/types/core.v1.ts'
import { nodes, pods, secrets, serviceAccounts } from '#api/types/resources.ts'
import { formatTime, type Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { ObjectReader } from '../registry/object-reader.ts'
import { signJwt, type TokenKey } from './jwt.ts'
import { jsonWebKeySet, openIdConfiguration } from './openid.ts'
import { serviceAccountUserName, type ObjectClaim, type ServiceAccountClaims } from './service-account-claims.ts'

export interface TokenIssuerOptions {
  readonly reader: ObjectReader
  readonly clock: Clock
  readonly random: Random
  readonly key: TokenKey
  readonly issuer: string
  /** Audiences of the API server itself: given where a request names none. */
  readonly audiences: readonly string[]
  /** `https://host:port` under which others fetch the keys that verify tokens. */
  readonly serverUrl: string
}

export interface TokenIssuer {
  /**
   * Answers POST `serviceaccounts/NAME/token`: the request with its status filled in. Throws NotFound for a missing
   * account or bound object, Invalid for a bad expiration, BadRequest and Conflict for a bad reference.
   */
  issueToken(namespace: string, name: string, request: TokenRequest): TokenRequest
  /** The document at `/openid/v1/jwks`. */
  keySet(): object
  /** The document at `/.well-known/openid-configuration`. */
  configuration(): object
}

/** How long a token lives if nobody says how long. */
export const defaultExpirationSeconds = 3600
/** What the kubelet asks for; such tokens live on for a year, for clients that never read them again (KEP-1205). */
const extendedExpirationRequest = 3607
const extendedExpirationSeconds = 365 * 24 * 3600

export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  return {
    keySet: () => jsonWebKeySet([options.key]),
    configuration: () => openIdConfiguration(options.issuer, options.serverUrl),
    issueToken(namespace, name, request) {
      const account = options.reader.get(serviceAccounts, name, namespace)
      if (account === undefined) throw notFound({ group: '', resource: 'serviceaccounts', name })
      const spec = {
        audiences: request.spec.audiences?.length ? request.spec.audiences : options.audiences,
        expirationSeconds: request.spec.expirationSeconds ?? defaultExpirationSeconds,
        boundObjectRef: request.spec.boundObjectRef,
      }
      checkNames(request, account)
      checkExpiration(spec.expirationSeconds)
      const bound = boundClaims(options.reader, spec.boundObjectRef, account)
      const nowMs = options.clock.now()
      const claims = claimsFor(options, account, spec, bound, Math.floor(nowMs / 1000))
      const metadata = {
        ...request.metadata,
        name,
        namespace,
        uid: options.random.uuid(),
        creationTimestamp: formatTime(nowMs),
      }
      return {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata,
        spec: { ...spec, boundObjectRef: spec.boundObjectRef ?? (null as unknown as undefined) },
        status: {
          token: signJwt(claims, options.key),
          expirationTimestamp: formatTime(nowMs + spec.expirationSeconds * 1000),
        },
      }
    },
  }
}

function checkNames(request: TokenRequest, account: ServiceAccount): void {
  const { name, namespace } = request.metadata
  if (name && name !== account.metadata.name) {
    const message = `must match the service account name: ${account.metadata.name}`
    throw invalidRequest(name, {
      type: 'FieldValueInvalid',
      field: 'metadata.name',
      message: `Invalid value: ${JSON.stringify(name)}: ${message}`,
    })
  }
  if (namespace && namespace !== account.metadata.namespace) {
    throw new StatusError(
      'BadRequest',
      'the namespace of the provided object does not match the namespace sent on the request',
    )
  }
}

function checkExpiration(seconds: number): void {
  const refuse = (why: string): never => {
    const message = `Invalid value: ${seconds}: ${why}`
    throw invalidRequest('', { type: 'FieldValueInvalid', field: 'spec.expirationSeconds', message })
  }
  if (seconds < 600) refuse('may not specify a duration less than 10 minutes')
  if (seconds > 2 ** 32) refuse('may not specify a duration larger than 2^32 seconds')
}

function invalidRequest(name: string, error: FieldError): StatusError {
  return invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest', name }, [error])
}

type BoundClaims = Pick<ServiceAccountClaims['kubernetes.io'], 'pod' | 'secret' | 'node'>

function boundClaims(
  reader: ObjectReader,
  ref: BoundObjectReference | undefined,
  account: ServiceAccount,
): BoundClaims {
  if (ref === undefined || ref === null) return {}
  const name = ref.name ?? ''
  const namespace = account.metadata.namespace ?? ''
  if (ref.apiVersion === 'v1' && ref.kind === 'Pod') {
    const pod = checked(reader.get(pods, name, namespace), 'pods', ref)
    if (pod.spec?.serviceAccountName !== account.metadata.name) {
      const message = `cannot bind token for serviceaccount "${account.metadata.name}" to pod running with different serviceaccount name.`
      throw new StatusError('BadRequest', message)
    }
    const node = pod.spec.nodeName ? reader.get(nodes, pod.spec.nodeName) : undefined
    return { pod: claimOf(pod), ...(node && { node: claimOf(node) }) }
  }
  if (ref.apiVersion === 'v1' && ref.kind === 'Secret')
    return { secret: claimOf(checked(reader.get(secrets, name, namespace), 'secrets', ref)) }
  if (ref.apiVersion === 'v1' && ref.kind === 'Node')
    return { node: claimOf(checked(reader.get(nodes, name), 'nodes', ref)) }
  const [group, version] = ref.apiVersion?.includes('/') ? ref.apiVersion.split('/') : ['', ref.apiVersion ?? '']
  throw new StatusError('BadRequest', `cannot bind token to object of type ${group}/${version}, Kind=${ref.kind ?? ''}`)
}

interface Named {
  readonly metadata: { readonly name: string; readonly uid: string }
}

function checked<T extends Named>(object: T | undefined, resource: string, ref: BoundObjectReference): T {
  const target = { group: '', resource, name: ref.name ?? '' }
  if (object === undefined) throw notFound(target)
  if (ref.uid && ref.uid !== object.metadata.uid) {
    const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`
    throw conflict(target, why)
  }
  return object
}

function claimOf(object: Named): ObjectClaim {
  return { name: object.metadata.name, uid: object.metadata.uid }
}

function claimsFor(
  options: TokenIssuerOptions,
  account: ServiceAccount,
  spec: { readonly audiences: readonly string[]; readonly expirationSeconds: number },
  bound: BoundClaims,
  nowSeconds: number,
): ServiceAccountClaims {
  const namespace = account.metadata.namespace ?? ''
  const forUs = spec.audiences.every((audience) => options.audiences.includes(audience))
  const extended = bound.pod !== undefined && forUs && spec.expirationSeconds === extendedExpirationRequest
  const lifeSeconds = extended ? extendedExpirationSeconds : spec.expirationSeconds
  return {
    aud: spec.audiences,
    exp: nowSeconds + lifeSeconds,
    iat: nowSeconds,
    iss: options.issuer,
    jti: options.random.uuid(),
    'kubernetes.io': {
      namespace,
      ...bound,
      serviceaccount: claimOf(account),
      ...(extended && { warnafter: nowSeconds + spec.expirationSeconds }),
    },
    nbf: nowSeconds,
    sub: serviceAccountUserName(namespace, account.metadata.name),
  }
}
