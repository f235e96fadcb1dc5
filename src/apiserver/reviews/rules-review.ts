import { badRequest } from '#api/meta/status.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { SelfSubjectRulesReview, SubjectRulesReviewStatus } from '#api/types/authorization.v1.ts'
import { nodeNameOf } from '../authz/node-authorizer.ts'
import type { ReviewHandler } from './review-handler.ts'

/** Lists what the asking user may do in a namespace, as far as rules can say it. */
export const selfSubjectRulesReview: ReviewHandler = ({ object, user }, parts) => {
  const namespace = (object as SelfSubjectRulesReview).spec.namespace ?? ''
  if (namespace === '') throw badRequest('no namespace on request')
  const { grants, errors } = parts.grants.grantsOf(user, namespace)
  const rules = grants.flatMap((grant) => grant.rules)
  const problems = [
    ...(nodeNameOf(user) === undefined ? [] : ['node authorizer does not support user rule resolution']),
    ...errors,
  ]
  const status: SubjectRulesReviewStatus = {
    resourceRules: rules
      .filter((rule) => rule.resources?.length)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        ...(apiGroups?.length && { apiGroups }),
        ...(resources?.length && { resources }),
        ...(resourceNames?.length && { resourceNames }),
      })),
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs?.length)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, ...(nonResourceURLs && { nonResourceURLs }) })),
    incomplete: problems.length > 0,
    ...(problems.length > 0 && { evaluationError: problems.join(', ') }),
  }
  const { apiVersion, kind } = object
  return { apiVersion, kind, metadata: {}, spec: {}, status } as unknown as KubernetesObject
}
