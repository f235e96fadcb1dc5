import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { manualClock } from '#lib/clock.ts'
import { tokenAuthenticators } from '../authn/authenticators.ts'
import { createAuthorizers } from '../authz/authorizers.ts'
import { GrantIndex } from '../authz/rbac-grants.ts'
import { readerOf } from '../registry/object-reader.case.ts'
import { reviewHandlers } from './review-handlers.ts'

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
const reader = readerOf(
  {
    ...rbac,
    kind: 'Role',
    metadata: { name: 'r', namespace: 'shop' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
  },
  {
    ...rbac,
    kind: 'RoleBinding',
    metadata: { name: 'b', namespace: 'shop' },
    roleRef: { kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', name: 'alice' }],
  },
)
const clock = manualClock()
const audiences = ['https://kubernetes.default.svc.cluster.local']
const parts = {
  authorizers: createAuthorizers(reader),
  grants: new GrantIndex(reader),
  tokens: tokenAuthenticators({ reader, clock, keys: [], issuer: audiences[0]!, audiences }),
  audiences,
  clock,
}

function review(plural: string, spec: object, namespace = ''): unknown {
  const group =
    plural.startsWith('token') || plural === 'selfsubjectreviews' ? 'authentication.k8s.io' : 'authorization.k8s.io'
  const object = {
    apiVersion: `${group}/v1`,
    kind: 'X',
    metadata: namespace ? { namespace } : {},
    spec,
  } as unknown as KubernetesObject
  const user = { name: 'alice', groups: ['system:authenticated'] }
  return (reviewHandlers[`${group}/${plural}`]!({ object, user, namespace }, parts) as unknown as { status: unknown })
    .status
}

const inShop = { namespace: 'shop', verb: 'get', resource: 'configmaps' }
const allowed = { allowed: true, reason: 'RBAC: allowed by RoleBinding "b/shop" of Role "r" to User "alice"' }
const answers: readonly [string, object, string, unknown][] = [
  ['selfsubjectaccessreviews', { resourceAttributes: inShop }, '', allowed],
  ['selfsubjectaccessreviews', { resourceAttributes: { ...inShop, verb: 'delete' } }, '', { allowed: false }],
  ['subjectaccessreviews', { user: 'alice', resourceAttributes: inShop }, '', allowed],
  [
    'subjectaccessreviews',
    { user: 'x', groups: ['system:masters'], resourceAttributes: { verb: 'delete', resource: 'nodes' } },
    '',
    { allowed: true },
  ],
  [
    'subjectaccessreviews',
    {
      user: 'system:node:n1',
      groups: ['system:nodes'],
      resourceAttributes: { namespace: 'shop', verb: 'get', resource: 'secrets', name: 'x' },
    },
    '',
    { allowed: false, reason: "no relationship found between node 'n1' and this object" },
  ],
  ['localsubjectaccessreviews', { user: 'alice', resourceAttributes: inShop }, 'shop', allowed],
  [
    'selfsubjectrulesreviews',
    { namespace: 'shop' },
    '',
    {
      resourceRules: [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }],
      nonResourceRules: [],
      incomplete: false,
    },
  ],
  ['tokenreviews', { token: 'bad' }, '', { user: {}, error: 'invalid bearer token' }],
  ['selfsubjectreviews', {}, '', { userInfo: { username: 'alice', groups: ['system:authenticated'] } }],
]

for (const [plural, spec, namespace, status] of answers) {
  test(`${plural} ${JSON.stringify(spec)}`, () => assert.deepEqual(review(plural, spec, namespace), status))
}

const refusals: readonly [string, object, string, string][] = [
  [
    'selfsubjectaccessreviews',
    {},
    '',
    '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
  ],
  [
    'selfsubjectaccessreviews',
    { resourceAttributes: inShop, nonResourceAttributes: { path: '/x', verb: 'get' } },
    '',
    '.authorization.k8s.io "" is invalid: spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":"get"}: cannot be specified in combination with resourceAttributes',
  ],
  [
    'subjectaccessreviews',
    { resourceAttributes: inShop },
    '',
    '.authorization.k8s.io "" is invalid: spec.user: Invalid value: "": at least one of user or group must be specified',
  ],
  [
    'localsubjectaccessreviews',
    { user: 'alice', resourceAttributes: { ...inShop, namespace: 'other' } },
    'shop',
    '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
  ],
  ['selfsubjectrulesreviews', {}, '', 'no namespace on request'],
  ['tokenreviews', {}, '', 'token is required for TokenReview in authentication'],
]

for (const [plural, spec, namespace, message] of refusals) {
  test(`${plural} refused: ${message}`, () => assert.throws(() => review(plural, spec, namespace), { message }))
}
