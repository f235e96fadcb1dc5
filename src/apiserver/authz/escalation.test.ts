import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyRule } from '#api/types/rbac.v1.ts'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { readerOf } from '../registry/object-reader.case.ts'
import { createAuthorizers } from './authorizers.ts'
import { escalationCheck } from './escalation.ts'
import { formatRule, uncoveredRules } from './rules-cover.ts'

const group = 'rbac.authorization.k8s.io'
const rbac = { apiVersion: `${group}/v1` }

function setup(rules: readonly PolicyRule[]) {
  const reader = readerOf(
    { ...rbac, kind: 'Role', metadata: { name: 'own', namespace: 'shop' }, rules },
    {
      ...rbac,
      kind: 'Role',
      metadata: { name: 'strong', namespace: 'shop' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }],
    },
    {
      ...rbac,
      kind: 'RoleBinding',
      metadata: { name: 'own', namespace: 'shop' },
      roleRef: { kind: 'Role', name: 'own' },
      subjects: [{ kind: 'User', name: 'alice' }],
    },
  )
  const context = { reader, clock: systemClock, random: systemRandom, authorizers: createAuthorizers(reader) }
  return (kind: 'Role' | 'RoleBinding', body: object, old?: object): void => {
    const resource = kind === 'Role' ? 'roles' : 'rolebindings'
    const whole = { ...rbac, kind, metadata: { name: 'new', namespace: 'shop' }, ...body }
    const request = {
      info: {
        isResourceRequest: true,
        path: '',
        verb: 'create',
        group,
        version: 'v1',
        resource,
        subresource: '',
        namespace: 'shop',
        name: '',
        rest: '',
      },
      operation: old === undefined ? 'CREATE' : 'UPDATE',
      user: { name: 'alice', groups: ['system:authenticated'] },
      object: whole,
      oldObject: old === undefined ? undefined : { ...whole, ...old },
      dryRun: false,
    } as unknown as AdmissionRequest
    void escalationCheck.mutate?.(request, context)
  }
}

const secrets: PolicyRule = { apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['get', 'list'] }
const mine: PolicyRule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }

test("a role within one's rights passes, one beyond them names what is missing", () => {
  const write = setup([mine])
  write('Role', { rules: [mine] })
  assert.throws(() => write('Role', { rules: [secrets] }), {
    reason: 'Forbidden',
    message: `roles.rbac.authorization.k8s.io "new" is forbidden: user "alice" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:
{APIGroups:[""], Resources:["pods"], Verbs:["list"]}
{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}`,
  })
})

test('an update that leaves the rules alone passes', () => {
  setup([mine])('Role', { rules: [secrets] }, { rules: [secrets] })
})

test('escalate and bind lift the check', () => {
  setup([{ apiGroups: [group], resources: ['roles'], verbs: ['escalate'] }])('Role', { rules: [secrets] })
  const bind = { roleRef: { kind: 'Role', name: 'strong' } }
  setup([{ apiGroups: [group], resources: ['roles'], resourceNames: ['strong'], verbs: ['bind'] }])('RoleBinding', bind)
  assert.throws(() => setup([mine])('RoleBinding', bind), { reason: 'Forbidden' })
  assert.throws(() => setup([mine])('RoleBinding', { roleRef: { kind: 'Role', name: 'none' } }), { reason: 'NotFound' })
})

const covers: readonly [PolicyRule, PolicyRule, readonly string[]][] = [
  [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, secrets, []],
  [{ apiGroups: [''], resources: ['*'], verbs: ['get', 'list'] }, secrets, []],
  [{ ...secrets, resourceNames: ['a'] }, { ...mine, resourceNames: ['a'] }, []],
  [{ ...secrets, resourceNames: ['a'] }, mine, ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}']],
  [
    { nonResourceURLs: ['/a/*'], verbs: ['get'] },
    { nonResourceURLs: ['/a/b', '/c'], verbs: ['get'] },
    ['{NonResourceURLs:["/c"], Verbs:["get"]}'],
  ],
  [
    { apiGroups: ['apps'], resources: ['*/scale'], verbs: ['get'] },
    { apiGroups: ['apps'], resources: ['deployments/scale'], verbs: ['get'] },
    [],
  ],
  [mine, { ...mine, verbs: ['*'] }, ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}']],
]

for (const [held, wanted, missing] of covers) {
  test(`${formatRule(held)} against ${formatRule(wanted)}`, () => {
    assert.deepEqual(uncoveredRules([held], [wanted]).map(formatRule), missing)
  })
}
