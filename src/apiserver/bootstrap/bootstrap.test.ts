import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiVersionOf, keyOf, type KubernetesObject } from '#api/meta/resource.ts'
import type { ClusterRole, ClusterRoleBinding } from '#api/types/rbac.v1.ts'
import { readerOf, type TestObject } from '../registry/object-reader.case.ts'
import { authorizeByAll, createAuthorizers } from '../authz/authorizers.ts'
import { bootstrap } from './bootstrap.ts'
import type { BootstrapObject, BootstrapStore } from './bootstrap-store.ts'

const options = { addresses: ['192.0.2.7'], port: 6443, clientCa: 'PEM', nowMs: 0 }

class FakeStore implements BootstrapStore {
  readonly stored = new Map<string, KubernetesObject>()
  writes = 0

  async ensure(objects: readonly BootstrapObject[]): Promise<void> {
    for (const { resource, object, merge } of objects) {
      assert.equal(object.apiVersion, apiVersionOf(resource))
      assert.equal(object.metadata.namespace !== undefined, resource.namespaced, object.metadata.name)
      const key = `${resource.plural} ${keyOf({ metadata: object.metadata })}`
      const old = this.stored.get(key)
      const next = old === undefined ? (object as KubernetesObject) : merge?.(old)
      if (next === undefined) continue
      this.writes++
      this.stored.set(key, next)
    }
  }
}

async function started(): Promise<FakeStore> {
  const store = new FakeStore()
  await bootstrap(store, options)
  store.writes = 0
  return store
}

test('a second start changes nothing', async () => {
  const store = await started()
  assert.ok(store.stored.size > 150)
  await bootstrap(store, { ...options, nowMs: 5_000_000 })
  assert.equal(store.writes, 0)
})

test('roles and bindings heal, additions stay, and the annotation turns it off', async () => {
  const store = await started()
  const key = 'clusterroles system:kube-scheduler'
  const role = store.stored.get(key) as ClusterRole
  const added = { apiGroups: ['x'], resources: ['y'], verbs: ['z'] }
  store.stored.set(key, { ...role, rules: [...(role.rules ?? []).slice(1), added] } as ClusterRole)
  const bindingKey = 'clusterrolebindings cluster-admin'
  const binding = store.stored.get(bindingKey) as ClusterRoleBinding
  store.stored.set(bindingKey, { ...binding, subjects: [] } as ClusterRoleBinding)
  await bootstrap(store, options)
  const healed = store.stored.get(key) as ClusterRole
  assert.ok(healed.rules?.includes(added))
  assert.deepEqual((store.stored.get(bindingKey) as ClusterRoleBinding).subjects, binding.subjects)
  assert.equal(store.writes, 2)
  const off = { ...role.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } }
  store.stored.set(key, { ...role, metadata: off, rules: [] } as ClusterRole)
  await bootstrap(store, options)
  assert.deepEqual((store.stored.get(key) as ClusterRole).rules, [])
})

test('the endpoints of the server follow its address', async () => {
  const store = await started()
  await bootstrap(store, { ...options, addresses: ['192.0.2.8'] })
  assert.equal(store.writes, 2)
  const slice = store.stored.get('endpointslices default/kubernetes') as unknown as { endpoints: unknown }
  assert.deepEqual(slice.endpoints, [{ addresses: ['192.0.2.8'], conditions: { ready: true } }])
})

test('the roles do for the components what they must', async () => {
  const store = await started()
  const authorizers = createAuthorizers(readerOf(...([...store.stored.values()] as unknown as TestObject[])))
  const may = (
    name: string,
    groups: readonly string[],
    verb: 'get' | 'create' | 'update',
    group: string,
    resource: string,
    subresource = '',
  ): boolean => {
    const attributes = {
      isResourceRequest: true,
      path: '',
      verb,
      group,
      version: 'v1',
      resource,
      subresource,
      namespace: 'shop',
      name: 'x',
      rest: '',
    }
    return authorizeByAll(authorizers, { ...attributes, user: { name, groups } }).decision === 'allow'
  }
  assert.ok(may('system:kube-scheduler', [], 'create', '', 'pods', 'binding'))
  assert.ok(may('system:serviceaccount:kube-system:replicaset-controller', [], 'create', '', 'pods'))
  assert.ok(may('system:node:n1', ['system:nodes'], 'update', '', 'pods', 'status'))
  assert.ok(may('system:bootstrap:abcdef', ['system:bootstrappers'], 'get', '', 'pods') === false)
  assert.ok(may('alice', ['system:authenticated'], 'get', '', 'pods') === false)
})

test('an aggregated role starts without rules, an address stands for the first service', async () => {
  const { stored } = await started()
  const admin = stored.get('clusterroles admin') as ClusterRole
  assert.equal(admin.rules, null)
  assert.ok((admin.aggregationRule?.clusterRoleSelectors ?? []).length > 0)
  const address = stored.get('ipaddresses 10.96.0.1') as unknown as { spec: unknown }
  assert.deepEqual(address.spec, { parentRef: { resource: 'services', name: 'kubernetes', namespace: 'default' } })
})
