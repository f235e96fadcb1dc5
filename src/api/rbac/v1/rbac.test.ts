import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryCreate, tryUpdate } from '../../kind-trial.case.ts'
import type { Kind } from '../../kind.ts'
import type { Role, RoleBinding } from '../../types/rbac.v1.ts'
import { clusterRoleBinding, roleBinding } from './role-binding.ts'
import { clusterRole, role } from './role.ts'

const cases: readonly [Kind, object, readonly string[]][] = [
  [
    role,
    { rules: [{ apiGroups: [''], resources: ['pods'], verbs: [] }] },
    ['rules[0].verbs: Required value: verbs must contain at least one value'],
  ],
  [
    role,
    { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
    ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
  ],
  [clusterRole, { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] }, []],
  [
    clusterRole,
    { rules: [{ verbs: ['get'] }] },
    [
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ],
  [
    roleBinding,
    { roleRef: { kind: 'Rolle', name: 'x' }, subjects: [{ kind: 'Robot', name: 'x' }] },
    [
      'roleRef.kind: Unsupported value: "Rolle": supported values: "Role", "ClusterRole"',
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
    ],
  ],
  [
    clusterRoleBinding,
    { roleRef: { kind: 'Role', name: 'x' }, subjects: [{ kind: 'ServiceAccount', name: 'x' }] },
    [
      'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      'subjects[0].namespace: Required value',
    ],
  ],
]

test('roles and bindings are refused in the words of the API server', () => {
  for (const [kind, manifest, expected] of cases) {
    const namespace = kind === role || kind === roleBinding ? 'ns' : ''
    assert.deepEqual(tryCreate(kind, manifest, namespace).messages, expected)
  }
})

test('names of roles may hold what a path can', () => {
  assert.deepEqual(tryCreate(role, { metadata: { name: 'system:Node_Reader' } }).messages, [])
  assert.deepEqual(tryCreate(role, { metadata: { name: 'a/b' } }).messages, [
    `metadata.name: Invalid value: "a/b": may not contain '/'`,
  ])
})

test('a Role without rules says so', () => {
  assert.equal((tryCreate(role, { rules: [] }).object as Role).rules, null)
})

test('a binding names the group of its role and subjects, and stays with its role', () => {
  const subjects = [
    { kind: 'User', name: 'u' },
    { kind: 'ServiceAccount', name: 'a', namespace: 'ns' },
  ]
  const created = tryCreate(roleBinding, { roleRef: { kind: 'ClusterRole', name: 'view' }, subjects })
  const group = 'rbac.authorization.k8s.io'
  const { roleRef, subjects: filled } = created.object as RoleBinding
  assert.deepEqual(roleRef, { apiGroup: group, kind: 'ClusterRole', name: 'view' })
  assert.deepEqual(filled, [{ kind: 'User', name: 'u', apiGroup: group }, subjects[1]])
  const { messages } = tryUpdate<RoleBinding>(roleBinding, created, (draft) => void (draft.roleRef.name = 'edit'))
  assert.deepEqual(messages, [
    `roleRef: Invalid value: {"APIGroup":"${group}","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef`,
  ])
  const cells = roleBinding.cells?.(created.object, Date.parse('2024-01-01T00:05:00Z'))
  assert.deepEqual(cells, ['x', 'ClusterRole/view', '5m', 'u', '', 'ns/a'])
})
