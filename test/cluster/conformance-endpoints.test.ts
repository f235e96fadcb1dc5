/**
 * Goal: Endpoints and EndpointSlices follow services and pods as in a conformant cluster. Method: the whole cluster in this
 * process with simulated nodes, one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import type { KubernetesObject } from '#api/meta/resource.ts'
import type { Pod, Service } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { endpoints, endpointSlices, pods, services } from '#api/types/resources.ts'
import { systemClock } from '#lib/clock.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { wholeCluster, type WholeCluster } from '../simulation/whole-cluster.ts'
import { namespace, showCollection, templateOf } from './harness/workloads.ts'

const slicesOf = async ({ client }: WholeCluster, service: string): Promise<readonly EndpointSlice[]> =>
  (await client.resource(endpointSlices, namespace).list({ labelSelector: `kubernetes.io/service-name=${service}` }))
    .items

const createService = ({ client }: WholeCluster, name: string, spec: object): Promise<Service> =>
  client.resource(services, namespace).create({ metadata: { name }, spec } as never)

async function run(cluster: WholeCluster, name: string, labels: Record<string, string>): Promise<string> {
  const ports = [{ name: 'http', containerPort: 8080 }]
  const { spec } = templateOf(labels, { ports })
  await cluster.client.resource(pods, namespace).create({ metadata: { name, labels }, spec: spec as Pod['spec'] })
  let address: string | undefined
  await cluster.until(`${name} is ready`, async () => {
    const { status } = await cluster.client.resource(pods, namespace).get(name)
    address = status?.podIP
    return status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') ?? false
  })
  return address ?? ''
}

const addressesOf = (slices: readonly EndpointSlice[]): readonly string[] =>
  slices.flatMap((slice) => (slice.endpoints ?? []).flatMap((endpoint) => [...endpoint.addresses])).sort()

async function endpointAddresses({ client }: WholeCluster, name: string): Promise<readonly string[] | undefined> {
  const { items } = await client.resource(endpoints, namespace).list()
  const found = items.find(({ metadata }) => metadata.name === name)
  return found && (found.subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip)).sort()
}

/** Services over one pod, over two pods by a named port, and what becomes of their endpoints when they are deleted. */
async function showMatching(
  cluster: WholeCluster,
  read: (service: string) => Promise<readonly string[] | undefined>,
): Promise<void> {
  const first = await run(cluster, 'pod1', { foo: 'bar', kind: 'one' })
  const second = await run(cluster, 'pod2', { foo: 'bar' })
  await createService(cluster, 'one', { selector: { kind: 'one' }, ports: [{ port: 80, targetPort: 8080 }] })
  await createService(cluster, 'both', { selector: { foo: 'bar' }, ports: [{ port: 80, targetPort: 'http' }] })
  await cluster.until('both services have their pods', async () => {
    return (await read('one'))?.join() === first && (await read('both'))?.join() === [first, second].sort().join()
  })
  await cluster.client.resource(pods, namespace).delete('pod2', { gracePeriodSeconds: 0 })
  await cluster.until('the deleted pod is gone', async () => (await read('both'))?.join() === first)
  await cluster.client.resource(services, namespace).delete('one')
  await cluster.until('the endpoints went with the service', async () => ((await read('one')) ?? []).length === 0)
}

behaviour(
  'network/endpointslice',
  'EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service',
  async (t) => {
    const cluster = await wholeCluster(t)
    await showMatching(cluster, async (service) => {
      const slices = await slicesOf(cluster, service)
      for (const slice of slices) {
        assert.equal(slice.addressType, 'IPv4')
        assert.equal(
          slice.metadata.labels?.['endpointslice.kubernetes.io/managed-by'],
          'endpointslice-controller.k8s.io',
        )
        for (const { targetRef, nodeName } of slice.endpoints ?? []) assert.ok(targetRef?.kind === 'Pod' && nodeName)
      }
      assert.deepEqual(
        slices.length === 0 ? [] : (slices[0]?.ports ?? []).map(({ port }) => port),
        addressesOf(slices).length === 0 ? [] : [8080],
      )
      const old = await endpointAddresses(cluster, service)
      return old?.join() === addressesOf(slices).join() ? old : undefined
    })
  },
)

behaviour('network/endpoints', 'EndpointsController should create Endpoints for Pods matching a Service', async (t) => {
  const cluster = await wholeCluster(t)
  await showMatching(cluster, (service) => endpointAddresses(cluster, service))
})

behaviour(
  'network/endpointslice',
  'EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods',
  async (t) => {
    const cluster = await wholeCluster(t, { nodes: [] })
    const service = await createService(cluster, 'empty', { selector: { does: 'not-match' }, ports: [{ port: 80 }] })
    await cluster.until('there is one empty slice', async () => {
      const slices = await slicesOf(cluster, 'empty')
      return slices.length === 1 && addressesOf(slices).length === 0
    })
    const [slice] = await slicesOf(cluster, 'empty')
    assert.equal(slice?.metadata.ownerReferences?.[0]?.uid, service.metadata.uid)
    await cluster.client.resource(services, namespace).delete('empty')
    await cluster.until('the slice is gone', async () => (await slicesOf(cluster, 'empty')).length === 0)
  },
)

behaviour(
  'network/endpoints',
  'EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods',
  async (t) => {
    const cluster = await wholeCluster(t, { nodes: [] })
    await createService(cluster, 'empty', { selector: { does: 'not-match' }, ports: [{ port: 80 }] })
    await cluster.until(
      'there are empty Endpoints',
      async () => (await endpointAddresses(cluster, 'empty'))?.length === 0,
    )
    await cluster.client.resource(services, namespace).delete('empty')
    await cluster.until('they are gone', async () => (await endpointAddresses(cluster, 'empty')) === undefined)
  },
)

async function firstOf<T extends KubernetesObject>(
  events: AsyncIterable<{ type: string; object?: T }>,
  type: string,
): Promise<void> {
  for await (const event of events) if (event.type === type) return
}

behaviour('network/endpoints', 'Endpoints should test the lifecycle of an Endpoint', async (t) => {
  const { client } = await wholeCluster(t, { nodes: [] })
  const collection = client.resource(endpoints, namespace)
  const subset = (ip: string, port: number) => [
    { addresses: [{ ip }], ports: [{ name: 'http', port, protocol: 'TCP' }] },
  ]
  const created = await collection.create({
    metadata: { name: 'mine', labels: { made: 'here' } },
    subsets: subset('10.0.0.24', 80),
  } as never)
  assert.ok((await client.resource(endpoints).list({ labelSelector: 'made=here' })).items.length === 1)
  const known = await collection.get('mine')
  const updated = await collection.update({
    ...known,
    metadata: { ...known.metadata, labels: { made: 'here', updated: 'yes' } },
  })
  assert.equal(updated.metadata.labels?.['updated'], 'yes')
  const patched = await collection.patch('mine', { type: 'merge', patch: { subsets: subset('10.0.0.25', 8080) } })
  assert.deepEqual(patched.subsets?.[0]?.addresses?.[0]?.ip, '10.0.0.25')
  assert.equal((await collection.get('mine')).subsets?.[0]?.ports?.[0]?.port, 8080)
  await collection.deleteCollection({ labelSelector: 'made=here' })
  await firstOf(
    collection.watch({ resourceVersion: created.metadata.resourceVersion, labelSelector: 'made=here' }),
    'DELETED',
  )
  assert.deepEqual((await collection.list({ labelSelector: 'made=here' })).items, [])
})

behaviour('network/endpointslice', 'EndpointSlice should support creating EndpointSlice API operations', async (t) => {
  const cluster = await wholeCluster(t, { nodes: [] })
  const { client } = cluster
  for (const [path, wanted] of [
    ['/apis', '"discovery.k8s.io"'],
    ['/apis/discovery.k8s.io', '"discovery.k8s.io/v1"'],
    ['/apis/discovery.k8s.io/v1', '"endpointslices"'],
  ] as const) {
    assert.ok(JSON.stringify(await client.raw({ method: 'GET', path })).includes(wanted))
  }
  const collection = client.resource(endpointSlices, namespace)
  const make = (name: string) =>
    collection.create({
      metadata: { name, labels: { made: 'here' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'] }],
    } as never)
  const created = await make('first')
  assert.equal((await collection.get('first')).metadata.uid, created.metadata.uid)
  await collection.patch('first', { type: 'merge', patch: { metadata: { annotations: { patched: 'true' } } } })
  const known = await collection.get('first')
  await collection.update({ ...known, endpoints: [{ addresses: ['10.0.0.2'] }] })
  const seen: string[] = []
  for await (const event of collection.watch({ resourceVersion: created.metadata.resourceVersion })) {
    if (event.type === 'MODIFIED') seen.push(event.object.endpoints?.[0]?.addresses[0] ?? '')
    if (seen.at(-1) === '10.0.0.2') break
  }
  assert.deepEqual(seen, ['10.0.0.1', '10.0.0.2'])
  await collection.delete('first')
  await make('second')
  await make('third')
  await showCollection(cluster, endpointSlices, 'made=here', 2)
})

behaviour(
  'network/endpointslicemirroring',
  'EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete',
  async (t) => {
    const cluster = await wholeCluster(t, { nodes: [] })
    const { client } = cluster
    await createService(cluster, 'mine', { ports: [{ name: 'http', port: 80 }] })
    const collection = client.resource(endpoints, namespace)
    const subsets = (ip: string) => [{ addresses: [{ ip }], ports: [{ name: 'http', port: 80, protocol: 'TCP' }] }]
    await collection.create({ metadata: { name: 'mine' }, subsets: subsets('10.1.2.3') } as never)
    await cluster.until(
      'the endpoints are mirrored',
      async () => addressesOf(await slicesOf(cluster, 'mine')).join() === '10.1.2.3',
    )
    await collection.patch('mine', { type: 'merge', patch: { subsets: subsets('10.2.3.4') } })
    await cluster.until(
      'the update is mirrored',
      async () => addressesOf(await slicesOf(cluster, 'mine')).join() === '10.2.3.4',
    )
    await collection.delete('mine')
    await cluster.until('the mirror is gone', async () => (await slicesOf(cluster, 'mine')).length === 0)
  },
)

behaviour('network/service_latency', 'Service endpoints latency should not be very high', async (t) => {
  const cluster = await wholeCluster(t)
  await run(cluster, 'pod1', { app: 'web' })
  const latencies: number[] = []
  for (let round = 0; round < 100; round++) {
    const startedMs = systemClock.monotonic()
    await createService(cluster, `s-${round}`, { selector: { app: 'web' }, ports: [{ port: 80 }] })
    await cluster.until('its endpoints are there', async () => {
      const found = await readyAddresses(cluster, `s-${round}`)
      return found.length === 1
    })
    latencies.push(systemClock.monotonic() - startedMs)
  }
  latencies.sort((a, b) => a - b)
  assert.ok((latencies[50] ?? Infinity) < 20_000 && (latencies[90] ?? Infinity) < 50_000)
})

async function readyAddresses({ client }: WholeCluster, name: string): Promise<readonly string[]> {
  const found = await client.resource(endpoints, namespace).list({ fieldSelector: `metadata.name=${name}` })
  return found.items.flatMap(({ subsets = [] }) =>
    subsets.flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip)),
  )
}
