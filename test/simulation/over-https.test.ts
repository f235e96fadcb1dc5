import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { isStatusError } from '#api/meta/status.ts'
import type { ConfigMap } from '#api/types/core.v1.ts'
import { configMaps, namespaces } from '#api/types/resources.ts'
import { ConnectionError } from '#client/connection-error.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { createInformers, remoteInformerSettings } from '#client/informers.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { startControlPlane } from '#main/control-plane.ts'

const effects = { clock: systemClock, random: seededRandom(1), log: silentLog }

async function remote(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'coracle-https-'))
  const place = { bindAddress: '127.0.0.1', port: 0, advertiseAddress: '127.0.0.1' }
  const controlPlane = await startControlPlane({ dataDir, storage: 'memory', ...place }, effects)
  const { ca, admin } = controlPlane.pki
  const transport = httpsTransport({
    server: `https://127.0.0.1:${controlPlane.port}`,
    ca: ca.certificate,
    certificate: admin.certificate,
    key: admin.key,
    clock: systemClock,
  })
  t.after(async () => {
    transport.close()
    await controlPlane.close()
    rmSync(dataDir, { recursive: true })
  })
  return { client: createClient(transport), transport, controlPlane }
}

test('the verbs over HTTPS, and their failures', async (t) => {
  const { client } = await remote(t)
  const maps = client.resource(configMaps, 'default')
  const created = await maps.create({ metadata: { name: 'a', namespace: 'default' }, data: { x: '1' } })
  assert.equal(created.kind, 'ConfigMap')
  assert.ok(Object.isFrozen(created.data))
  const updated = await maps.update({ ...created, data: { x: '2' } })
  await assert.rejects(maps.update({ ...created, data: { x: '3' } }), (error) => isStatusError(error, 'Conflict'))
  const patched = await maps.patch('a', { type: 'json', operations: [{ op: 'add', path: '/data/y', value: 'z' }] })
  assert.deepEqual(patched.data, { x: '2', y: 'z' })
  assert.notEqual(patched.metadata.resourceVersion, updated.metadata.resourceVersion)
  const [listed] = (await maps.list({ fieldSelector: 'metadata.name=a' })).items
  assert.deepEqual(listed, patched)
  const applied = await maps.apply({ metadata: { name: 'b' }, data: { k: 'v' } }, { fieldManager: 'test' })
  assert.equal(applied.metadata.managedFields?.[0]?.operation, 'Apply')
  await maps.delete('a')
  await assert.rejects(maps.get('a'), (error) => isStatusError(error, 'NotFound'))
  assert.throws(() => client.as({ name: 'x', groups: [] }), TypeError)
})

test('informers over HTTPS see what others write, page by page', async (t) => {
  const { client } = await remote(t)
  for (let index = 0; index < 7; index++) {
    await client.resource(configMaps, 'default').create({ metadata: { name: `m${index}` } })
  }
  const informers = createInformers({ client, ...effects, ...remoteInformerSettings, pageSize: 3 })
  t.after(() => informers.stop())
  const informer = informers.of(configMaps, { namespace: 'default' })
  await informers.synced()
  assert.equal(informer.list().length, 7)
  const seen = Promise.withResolvers<ConfigMap>()
  informer.listen({ updated: (object) => seen.resolve(object) })
  await client.resource(configMaps, 'default').patch('m3', { type: 'merge', patch: { data: { k: 'v' } } })
  const object = await seen.promise
  assert.equal(object.data?.k, 'v')
  assert.equal(object.kind, 'ConfigMap')
  assert.equal(informer.get('m3', 'default'), object)
})

test('a server that goes away is a ConnectionError', async (t) => {
  const { client, controlPlane } = await remote(t)
  assert.equal((await client.resource(namespaces).get('default')).metadata.name, 'default')
  const stranger = httpsTransport({ server: 'https://127.0.0.1:1', clock: systemClock })
  await assert.rejects(createClient(stranger).resource(namespaces).list(), ConnectionError)
  const distrustful = httpsTransport({ server: `https://127.0.0.1:${controlPlane.port}`, clock: systemClock })
  t.after(() => distrustful.close())
  await assert.rejects(createClient(distrustful).resource(namespaces).list(), /certificate/)
})
