import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resourceQuota } from '../admission/resource-quota.ts'
import { testServer } from '../server.case.ts'

test('the server owns what its own books say', async () => {
  const server = await testServer({ admission: [resourceQuota] })
  const path = '/api/v1/namespaces/shop'
  await server.call('POST /api/v1/namespaces', { body: { metadata: { name: 'shop' } } })
  const quota = { metadata: { name: 'q' }, spec: { hard: { configmaps: '3' } } }
  assert.equal((await server.call(`POST ${path}/resourcequotas`, { body: quota })).code, 201)
  const headers = { 'content-type': 'application/merge-patch+json' }
  const status = { hard: { configmaps: '3' }, used: { configmaps: '0' } }
  await server.call(`PATCH ${path}/resourcequotas/q/status`, { body: { status }, headers })
  assert.equal((await server.call(`POST ${path}/configmaps`, { body: { metadata: { name: 'a' } } })).code, 201)
  const { object } = await server.call(`GET ${path}/resourcequotas/q`)
  const own = object.metadata.managedFields?.find(({ manager }) => manager === 'kube-apiserver')
  assert.deepEqual([own?.subresource, own?.fieldsV1], ['status', { 'f:status': { 'f:used': { 'f:configmaps': {} } } }])
  await server.close()
})
