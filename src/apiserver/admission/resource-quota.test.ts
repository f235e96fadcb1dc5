import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { conflict } from '#api/meta/status.ts'
import { readerOf, type TestObject } from '../registry/object-reader.case.ts'
import { admit } from './admission.case.ts'
import { resourceQuota } from './resource-quota.ts'

const hard = {
  pods: '2',
  'requests.cpu': '500m',
  'limits.memory': '1Gi',
  'count/secrets': '2',
  services: '1',
  'services.nodeports': '0',
  'count/deployments.apps': '0',
}
const quota: TestObject = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'shop' },
  spec: { hard },
  status: { hard, used: Object.fromEntries(Object.keys(hard).map((name) => [name, '0'])) },
}

function books() {
  const reader = readerOf(quota)
  let conflicts = 0
  const updateStatus = async (_resource: unknown, object: KubernetesObject): Promise<void> => {
    if (conflicts-- > 0) throw conflict({ group: '', resource: 'resourcequotas', name: 'q' })
    reader.put(object as unknown as TestObject)
  }
  const create = (to: string, name: string, rest: object = {}) =>
    admit([resourceQuota], reader, { to, object: { metadata: { name, namespace: 'shop' }, ...rest } }, { updateStatus })
  const used = (): Record<string, string> =>
    (
      reader.list({
        group: '',
        version: 'v1',
        plural: 'resourcequotas',
        kind: 'ResourceQuota',
        namespaced: true,
      })[0] as unknown as { status: { used: Record<string, string> } }
    ).status.used
  return { create, used, loseRaces: (count: number) => void (conflicts = count) }
}

const resources = (cpu: string, memory: string): object => ({
  spec: { containers: [{ name: 'c', resources: { requests: { cpu }, limits: { memory } } }] },
})

test('what fits is charged, what does not is refused with figures', async () => {
  const { create, used } = books()
  await create('pods', 'a', resources('400m', '100Mi'))
  assert.deepEqual(used(), {
    pods: '1',
    'requests.cpu': '400m',
    'limits.memory': '100Mi',
    'count/secrets': '0',
    services: '0',
    'services.nodeports': '0',
    'count/deployments.apps': '0',
  })
  await assert.rejects(create('pods', 'b', resources('200m', '2Gi')), {
    message:
      'pods "b" is forbidden: exceeded quota: q, requested: limits.memory=2Gi,requests.cpu=200m, used: limits.memory=100Mi,requests.cpu=400m, limited: limits.memory=1Gi,requests.cpu=500m',
  })
  await assert.rejects(create('pods', 'c', { spec: { containers: [{ name: 'c' }] } }), {
    message: 'pods "c" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
  })
})

test('objects are counted by resource', async () => {
  const { create } = books()
  await create('secrets', 'one')
  await create('secrets', 'two')
  await assert.rejects(create('secrets', 'three'), {
    message:
      'secrets "three" is forbidden: exceeded quota: q, requested: count/secrets=1, used: count/secrets=2, limited: count/secrets=2',
  })
  await assert.rejects(create('services', 's', { spec: { type: 'NodePort', ports: [{ port: 80 }] } }), {
    message:
      'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=0, limited: services.nodeports=0',
  })
  await create('services', 's', { spec: { ports: [{ port: 80 }] } })
  await assert.rejects(create('deployments.apps', 'd'), {
    message:
      'deployments.apps "d" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=0, limited: count/deployments.apps=0',
  })
})

test('a lost race is run again, and in the end given up', async () => {
  const { create, used, loseRaces } = books()
  loseRaces(2)
  await create('secrets', 'one')
  assert.equal(used()['count/secrets'], '1')
  loseRaces(100)
  await assert.rejects(create('secrets', 'two'), { reason: 'Conflict' })
})

test('without books the stored objects are counted', async () => {
  const secret = (name: string): TestObject => ({ apiVersion: 'v1', kind: '', metadata: { name, namespace: 'shop' } })
  const reader = readerOf(quota, secret('a'), secret('b'))
  await assert.rejects(
    admit([resourceQuota], reader, { to: 'secrets', object: { metadata: { name: 'c', namespace: 'shop' } } }),
    /used: count\/secrets=2/,
  )
})

test('scopes limit what is counted', async () => {
  const scoped = { ...quota, spec: { hard: { pods: '0' }, scopes: ['BestEffort'] }, status: {} }
  const object = { metadata: { name: 'p', namespace: 'shop' }, ...resources('1', '1Gi') }
  await admit([resourceQuota], readerOf(scoped), { to: 'pods', object })
  const bare = { metadata: { name: 'p', namespace: 'shop' }, spec: { containers: [{ name: 'c' }] } }
  await assert.rejects(
    admit([resourceQuota], readerOf(scoped), { to: 'pods', object: bare }),
    /exceeded quota: q, requested: pods=1/,
  )
})
