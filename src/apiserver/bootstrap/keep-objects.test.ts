import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#lib/log.ts'
import { testServer } from '../server.case.ts'
import { bootstrap } from './bootstrap.ts'
import { keepObjects } from './keep-objects.ts'
import { serverObjects } from './server-objects.ts'

test('the kubernetes Service and its endpoints come back when they are deleted or bent', async () => {
  const { server, clock, call, close } = await testServer()
  const options = { addresses: ['192.0.2.7'], port: 6443, clientCa: 'PEM', nowMs: clock.now() }
  await bootstrap(server.bootstrap, options)
  const stopping = new AbortController()
  const { handle } = server
  const parts = { handle, bootstrap: server.bootstrap, clock, log: silentLog, signal: stopping.signal }
  const keeping = keepObjects(parts, serverObjects(options))
  await clock.advance(0)
  const paths = [
    '/api/v1/namespaces/default/services/kubernetes',
    '/api/v1/namespaces/default/endpoints/kubernetes',
    '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes',
    '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
  ]
  for (const path of paths) {
    const { uid } = (await call(`GET ${path}`)).object.metadata
    assert.equal((await call(`DELETE ${path}`)).code, 200, path)
    await clock.advance(0)
    const again = await call(`GET ${path}`)
    assert.equal(again.code, 200, path)
    assert.notEqual(again.object.metadata.uid, uid)
  }
  assert.equal((await call(`GET ${paths[0]}`)).object.spec['clusterIP'], '10.96.0.1')
  const headers = { 'content-type': 'application/merge-patch+json' }
  await call(`PATCH ${paths[1]}`, { headers, body: { subsets: [{ addresses: [{ ip: '203.0.113.1' }] }] } })
  await clock.advance(0)
  const { subsets } = (await call(`GET ${paths[1]}`)).object as unknown as { subsets: unknown }
  assert.deepEqual(subsets, [
    { addresses: [{ ip: '192.0.2.7' }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] },
  ])
  stopping.abort()
  await keeping
  await close()
})
