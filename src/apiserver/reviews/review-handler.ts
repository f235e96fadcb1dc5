import type { UserInfo } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError, type FieldError } from '#api/meta/status.ts'
import type { Clock } from '#lib/clock.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { GrantIndex } from '../authz/rbac-grants.ts'
import type { TokenAuthenticator } from '../authn/token-authenticator.ts'

/** What answers questions about users and rights. */
export interface ReviewParts {
  readonly authorizers: readonly Authorizer[]
  readonly grants: GrantIndex
  readonly tokens: readonly TokenAuthenticator[]
  /** Audiences of this server. */
  readonly audiences: readonly string[]
  readonly clock: Clock
}

export interface ReviewRequest {
  /** Decoded and schema-checked; `metadata` may be missing parts. */
  readonly object: KubernetesObject
  /** Who asks. */
  readonly user: UserInfo
  /** Of the request path; empty for cluster-scoped kinds. */
  readonly namespace: string
}

/** Answers one create-only resource: the object with its status filled in, or a thrown `StatusError`. */
export type ReviewHandler = (request: ReviewRequest, parts: ReviewParts) => KubernetesObject

/** 422 as access reviews give it: upstream leaves the kind out. */
export function invalidReview(group: string, error: FieldError): StatusError {
  const { field, message, type } = error
  const details = { group, causes: [{ reason: type, message, field }] }
  return new StatusError('Invalid', `.${group} "" is invalid: ${field}: ${message}`, { details })
}
