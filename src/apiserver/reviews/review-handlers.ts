import { localSubjectAccessReview, selfSubjectAccessReview, subjectAccessReview } from './access-review.ts'
import { selfSubjectReview, tokenReview } from './identity-review.ts'
import type { ReviewHandler } from './review-handler.ts'
import { selfSubjectRulesReview } from './rules-review.ts'

/** Resources that only answer questions: nothing is stored. The key is `group/plural`. */
export const reviewHandlers: Readonly<Record<string, ReviewHandler>> = {
  'authentication.k8s.io/tokenreviews': tokenReview,
  'authentication.k8s.io/selfsubjectreviews': selfSubjectReview,
  'authorization.k8s.io/subjectaccessreviews': subjectAccessReview,
  'authorization.k8s.io/localsubjectaccessreviews': localSubjectAccessReview,
  'authorization.k8s.io/selfsubjectaccessreviews': selfSubjectAccessReview,
  'authorization.k8s.io/selfsubjectrulesreviews': selfSubjectRulesReview,
}
