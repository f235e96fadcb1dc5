import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseApis } from '#api/schema/served-apis.ts'
import type { ClusterRole } from '#api/types/rbac.v1.ts'
import { formatRule, uncoveredRules } from '#apiserver/authz/rules-cover.ts'
import { policyObjects } from '#apiserver/bootstrap/policy.ts'
import { createControllers } from '#controllers/controllers.ts'
import { ownRoles } from '#main/own-roles.ts'
import { rbacOf } from '#reconcile/rbac-of.ts'

// With every API that can be served: some controllers come with them, and so do their roles.
const { catalog } = chooseApis({ runtimeConfig: ['api/all=true'], featureGates: ['AllBeta=true'] })

// Roles of one name in different namespaces are for what a controller does there: all count.
const roles = new Map<string, Pick<ClusterRole, 'rules'>>()
for (const { object } of [...policyObjects(catalog), ...ownRoles()]) {
  if (object.kind !== 'ClusterRole' && object.kind !== 'Role') continue
  const { metadata, rules } = object as unknown as ClusterRole
  roles.set(metadata.name, { rules: [...(roles.get(metadata.name)?.rules ?? []), ...(rules ?? [])] })
}

const controllers = createControllers({
  rootCa: '',
  catalog,
  sign: () => '',
  signToken: () => '',
  dns: { clusterIP: '10.96.0.10', nodePort: 10_053 },
  cloud: { loadBalancers: {} as never, routes: {} as never },
  nodeIpam: { clusterCidrs: ['10.244.0.0/16'] },
})

// Watches are the informers', which all share and which act as the controller manager.
for (const controller of controllers) {
  const { name, serviceAccount = name } = controller
  test(`${name} writes nothing that its account may not`, () => {
    const role = roles.get(`system:controller:${serviceAccount}`) ?? roles.get(`coracle:${serviceAccount}`)
    assert.ok(role, `there is no role for ${serviceAccount}`)
    const missing = uncoveredRules(role.rules ?? [], rbacOf({ ...controller, watches: [] }))
    assert.deepEqual(missing.map(formatRule), [])
  })
}
