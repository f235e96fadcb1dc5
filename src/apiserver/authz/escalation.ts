import { isDeepStrictEqual } from 'node:util'
import { forbidden, notFound } from '#api/meta/status.ts'
import type { ClusterRole, PolicyRule, RoleRef } from '#api/types/rbac.v1.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts'
import type { Authorizer } from './authorizer.ts'
import { authorizeByAll } from './authorizers.ts'
import { GrantIndex } from './rbac-grants.ts'
import { formatList, formatRule, uncoveredRules } from './rules-cover.ts'

const group = 'rbac.authorization.k8s.io'

/**
 * Nobody may write a role with more rights than their own, nor bind a role they do not hold, unless allowed to
 * `escalate` or `bind` (documentation page "Using RBAC Authorization", privilege escalation prevention).
 */
export const escalationCheck: AdmissionPlugin = {
  name: 'RBACEscalation',
  resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].map((plural) => `${group}/${plural}`),
  operations: ['CREATE', 'UPDATE'],
  mutate(request, { reader, authorizers }) {
    if (request.user.groups.includes('system:masters')) return
    const index = new GrantIndex(reader)
    if (request.info.resource.endsWith('bindings')) checkBinding(request, authorizers, index)
    else checkRole(request, authorizers, index)
  },
}

interface RoleLike {
  readonly rules?: readonly PolicyRule[]
  readonly aggregationRule?: ClusterRole['aggregationRule']
}

const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
]

function checkRole(request: AdmissionRequest, authorizers: readonly Authorizer[], index: GrantIndex): void {
  const role = request.object as RoleLike | undefined
  const old = request.oldObject as RoleLike | undefined
  const unchanged = isDeepStrictEqual(role?.rules ?? [], old?.rules ?? [])
  const sameAggregation = isDeepStrictEqual(role?.aggregationRule, old?.aggregationRule)
  if (old !== undefined && unchanged && sameAggregation) return
  if (mayDo(request, authorizers, 'escalate', request.info.resource, request.object?.metadata.name ?? '')) return
  if (role?.aggregationRule !== undefined && !sameAggregation) requireHeld(request, everything, index)
  requireHeld(request, role?.rules ?? [], index)
}

function checkBinding(request: AdmissionRequest, authorizers: readonly Authorizer[], index: GrantIndex): void {
  const binding = request.object as unknown as { roleRef: RoleRef; subjects?: unknown }
  const old = request.oldObject as unknown as { roleRef: RoleRef; subjects?: unknown } | undefined
  const sameRole = isDeepStrictEqual(binding.roleRef, old?.roleRef)
  if (old !== undefined && sameRole && isDeepStrictEqual(binding.subjects, old.subjects)) return
  const { roleRef } = binding
  const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  if (mayDo(request, authorizers, 'bind', resource, roleRef.name)) return
  const rules = index.rulesOf(roleRef, request.info.namespace)
  if (rules === undefined) throw notFound({ group, resource: roleRef.kind.toLowerCase(), name: roleRef.name })
  requireHeld(request, rules, index)
}

function mayDo(
  { info, user }: AdmissionRequest,
  authorizers: readonly Authorizer[],
  verb: 'escalate' | 'bind',
  resource: string,
  name: string,
): boolean {
  const asked = {
    ...info,
    user,
    verb: verb as typeof info.verb,
    resource,
    subresource: '',
    group,
    name,
    isResourceRequest: true,
  }
  return authorizeByAll(authorizers, asked).decision === 'allow'
}

function requireHeld(request: AdmissionRequest, wanted: readonly PolicyRule[], index: GrantIndex): void {
  const { info, user } = request
  const { grants, errors } = index.grantsOf(user, info.namespace)
  const missing = uncoveredRules(
    grants.flatMap((grant) => grant.rules),
    wanted,
  )
  if (missing.length === 0) return
  const lines = missing.map(formatRule).join('\n')
  const resolution = errors.length === 0 ? '' : `; resolution errors: [${errors.join(', ')}]`
  const who = `user ${JSON.stringify(user.name)} (groups=${formatList(user.groups)})`
  const why = `${who} is attempting to grant RBAC permissions not currently held:\n${lines}${resolution}`
  throw forbidden({ group, resource: info.resource, name: request.object?.metadata.name ?? '' }, why)
}
