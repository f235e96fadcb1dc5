import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { isStatusError } from '#api/meta/status.ts'
import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { deviceClasses, resourceClaims, resourceClaimTemplates, resourceSlices } from '#api/types/resources.ts'
import { createClient } from '#client/create-client.ts'
import { httpsTransport } from '#client/https-transport.ts'
import { readKubeconfig } from '#client/kubeconfig.ts'
import { systemClock } from '#lib/clock.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { startServer, type Server } from './harness/cluster.ts'

let server: Server
let transport: ReturnType<typeof httpsTransport>
let client: ReturnType<typeof createClient>

before(async () => {
  server = await startServer()
  transport = httpsTransport({ ...readKubeconfig(server.kubeconfig), clock: systemClock })
  client = createClient(transport)
})

after(async () => {
  transport.close()
  await server[Symbol.asyncDispose]()
})

const requests = [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }]
const pool = { name: 'pool', generation: 1, resourceSliceCount: 1 }

/** Everything that can be done to objects of the resource, one after the other. */
async function operate<T extends KubernetesObject>(resource: Resource<T>, spec: object, namespace?: string) {
  const collection = client.resource(resource, namespace)
  const labels = { test: 'crud' }
  const { resourceVersion } = await collection.list()
  for (const name of ['one', 'two', 'three']) {
    const created = await collection.create({ metadata: { name, labels }, spec } as never)
    assert.ok(created.metadata.uid)
  }
  const one = await collection.get('one')
  assert.deepEqual(
    (one as unknown as { spec: object }).spec,
    ((await collection.get('two')) as unknown as { spec: object }).spec,
  )
  const updated = await collection.update({ ...one, metadata: { ...one.metadata, annotations: { updated: 'yes' } } })
  assert.equal(updated.metadata.annotations?.['updated'], 'yes')
  const patch = { metadata: { annotations: { patched: 'yes' } } }
  const patched = await collection.patch('one', { type: 'merge', patch })
  assert.deepEqual(patched.metadata.annotations, { updated: 'yes', patched: 'yes' })
  assert.equal((await collection.list({ labelSelector: 'test=crud' })).items.length, 3)
  await collection.delete('one')
  await assert.rejects(collection.get('one'), (error) => isStatusError(error, 'NotFound'))
  await collection.deleteCollection({ labelSelector: 'test=crud' })
  assert.equal((await collection.list({ labelSelector: 'test=crud' })).items.length, 0)
  const seen: string[] = []
  for await (const event of collection.watch({ resourceVersion, labelSelector: 'test=crud' })) {
    if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.metadata.name}`)
    if (seen.length === 8) break
  }
  assert.deepEqual(seen.slice(0, 6), [
    'ADDED one',
    'ADDED two',
    'ADDED three',
    'MODIFIED one',
    'MODIFIED one',
    'DELETED one',
  ])
  assert.deepEqual(seen.slice(6).toSorted(), ['DELETED three', 'DELETED two'])
}

behaviour('dra/dra', 'CRUD Tests resource.k8s.io/v1 DeviceClass', () =>
  operate(deviceClasses, { selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }] }),
)

behaviour('dra/dra', 'CRUD Tests resource.k8s.io/v1 ResourceClaim', async () => {
  await operate(resourceClaims, { devices: { requests } }, 'default')
  const claims = client.resource(resourceClaims, 'default')
  await claims.create({ metadata: { name: 'c' }, spec: { devices: { requests } } } as never)
  const results = [{ request: 'gpu', driver: 'gpu.example.com', pool: 'pool', device: 'gpu-0' }]
  const patch = { status: { allocation: { devices: { results } } } }
  const { status } = await claims.patch('c', { type: 'merge', patch }, { subresource: 'status' })
  assert.equal(status?.allocation?.devices?.results?.[0]?.device, 'gpu-0')
})

behaviour('dra/dra', 'CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate', () =>
  operate(resourceClaimTemplates, { spec: { devices: { requests } } }, 'default'),
)

behaviour('dra/dra', 'CRUD Tests resource.k8s.io/v1 ResourceSlice', () =>
  operate(resourceSlices, { driver: 'gpu.example.com', nodeName: 'n1', pool, devices: [{ name: 'gpu-0' }] }),
)
