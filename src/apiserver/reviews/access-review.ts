import type { UserInfo } from '#api/meta/exchange.ts'
import { badRequest } from '#api/meta/status.ts'
import type {
  NonResourceAttributes,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
} from '#api/types/authorization.v1.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { authorizeByAll } from '../authz/authorizers.ts'
import type { AuthorizationAttributes, Verb } from '../request-info.ts'
import { invalidReview, type ReviewHandler, type ReviewParts } from './review-handler.ts'

const group = 'authorization.k8s.io'

interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes | undefined
  readonly nonResourceAttributes?: NonResourceAttributes | undefined
}

/** What another user may do, anywhere. */
export const subjectAccessReview: ReviewHandler = ({ object }, parts) => {
  const { spec } = object as SubjectAccessReview
  checkAttributes(spec)
  return withStatus(object, review(subjectOf(spec), spec, parts))
}

/** What another user may do in the namespace of the request. */
export const localSubjectAccessReview: ReviewHandler = ({ object, namespace }, parts) => {
  const { spec } = object as SubjectAccessReview
  checkAttributes(spec)
  const user = subjectOf(spec)
  if (spec.nonResourceAttributes) {
    const message = 'Invalid value: {}: disallowed on this kind of request'
    throw invalidReview(group, { type: 'FieldValueInvalid', field: 'spec.nonResourceAttributes', message })
  }
  const asked = spec.resourceAttributes?.namespace ?? ''
  if (asked !== (object.metadata.namespace ?? '')) {
    const message = `Invalid value: ${JSON.stringify(asked)}: must match metadata.namespace`
    throw invalidReview(group, { type: 'FieldValueInvalid', field: 'spec.resourceAttributes.namespace', message })
  }
  if (asked !== namespace) throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
  return withStatus(object, review(user, spec, parts))
}

/** What the asking user may do. */
export const selfSubjectAccessReview: ReviewHandler = ({ object, user }, parts) => {
  const { spec } = object as SelfSubjectAccessReview
  checkAttributes(spec)
  return withStatus(object, review(user, spec, parts))
}

function withStatus(object: KubernetesObject, status: SubjectAccessReviewStatus): KubernetesObject {
  return { ...object, status } as KubernetesObject
}

function checkAttributes({ resourceAttributes, nonResourceAttributes }: AccessSpec): void {
  if (resourceAttributes && nonResourceAttributes) {
    const shown = JSON.stringify({ Path: nonResourceAttributes.path ?? '', Verb: nonResourceAttributes.verb ?? '' })
    const message = `Invalid value: ${shown}: cannot be specified in combination with resourceAttributes`
    throw invalidReview(group, { type: 'FieldValueInvalid', field: 'spec.nonResourceAttributes', message })
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const message = 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified'
    throw invalidReview(group, { type: 'FieldValueInvalid', field: 'spec.resourceAttributes', message })
  }
}

function subjectOf(spec: SubjectAccessReview['spec']): UserInfo {
  if (!spec.user && !spec.groups?.length) {
    const message = 'Invalid value: "": at least one of user or group must be specified'
    throw invalidReview(group, { type: 'FieldValueInvalid', field: 'spec.user', message })
  }
  return {
    name: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid && { uid: spec.uid }),
    ...(spec.extra && { extra: spec.extra }),
  }
}

function review(user: UserInfo, spec: AccessSpec, parts: ReviewParts): SubjectAccessReviewStatus {
  const { decision, reason } = authorizeByAll(parts.authorizers, attributesOf(user, spec))
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' && { denied: true }),
    ...(reason !== '' && { reason }),
  }
}

function attributesOf(user: UserInfo, spec: AccessSpec): AuthorizationAttributes {
  const resource = spec.resourceAttributes
  return {
    user,
    isResourceRequest: resource !== undefined && resource !== null,
    path: spec.nonResourceAttributes?.path ?? '',
    verb: (resource?.verb ?? spec.nonResourceAttributes?.verb ?? '') as Verb,
    group: resource?.group ?? '',
    version: resource?.version ?? '*',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
    rest: '',
  }
}
