import type { UserInfo } from '#api/meta/exchange.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { badRequest } from '#api/meta/status.ts'
import type * as authenticationV1 from '#api/types/authentication.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { asAuthenticated } from '../authn/authenticators.ts'
import { authenticateToken } from '../authn/bearer.ts'
import { InvalidTokenError } from '../authn/token-authenticator.ts'
import type { ReviewHandler, ReviewParts } from './review-handler.ts'

/** Says who a token stands for. */
export const tokenReview: ReviewHandler = ({ object }, parts) => {
  const { spec } = object as Partial<authenticationV1.TokenReview>
  if (!spec?.token) throw badRequest('token is required for TokenReview in authentication')
  return { ...object, status: statusOf(spec, parts) } as KubernetesObject
}

function statusOf(spec: authenticationV1.TokenReviewSpec, parts: ReviewParts): authenticationV1.TokenReviewStatus {
  const audiences = spec.audiences?.length ? spec.audiences : parts.audiences
  try {
    const found = authenticateToken(spec.token, audiences, parts.tokens)
    return { authenticated: true, user: wireUser(asAuthenticated(found.user)), audiences: found.audiences }
  } catch (error) {
    if (!(error instanceof InvalidTokenError)) throw error
    const plain = 'invalid bearer token'
    return { user: {}, error: error.message === plain ? plain : `[${plain}, ${error.message}]` }
  }
}

/** Says who the asking user is. */
export const selfSubjectReview: ReviewHandler = ({ object, user }, parts) => {
  const metadata = { ...object.metadata, creationTimestamp: formatTime(parts.clock.now()) }
  return { ...object, metadata, status: { userInfo: wireUser(user) } } as KubernetesObject
}

function wireUser(user: UserInfo): authenticationV1.UserInfo {
  return {
    username: user.name,
    ...(user.uid && { uid: user.uid }),
    ...(user.groups.length > 0 && { groups: user.groups }),
    ...(user.extra && { extra: user.extra }),
  }
}
