import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { EndpointSlice } from '#api/types/discovery.v1.ts'
import { endpoints, endpointSlices, pods, serviceAccounts, services } from '#api/types/resources.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

async function pod({ client }: SmallCluster, name: string): Promise<Pod> {
  const container = { name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] }
  return client
    .resource(pods, 'test')
    .create({ metadata: { name, labels: { app: 'web' } }, spec: { containers: [container] } })
}

async function slices({ client }: SmallCluster): Promise<readonly EndpointSlice[]> {
  return (await client.resource(endpointSlices, 'test').list()).items
}

/** `name address ready` of every endpoint, sorted. */
async function endpointsOf(cluster: SmallCluster): Promise<string> {
  const all = (await slices(cluster)).flatMap((slice) => slice.endpoints ?? [])
  return all
    .map(({ targetRef, conditions }) => `${targetRef?.name} ${conditions?.ready}`)
    .toSorted()
    .join(', ')
}

async function serviceCluster(t: Parameters<typeof smallCluster>[0]): Promise<SmallCluster> {
  const cluster = await smallCluster(t)
  const { client } = cluster
  await cluster.until(
    'pods can be made',
    async () => (await client.resource(serviceAccounts, 'test').list()).items.length > 0,
  )
  const spec = {
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' as const }],
    ipFamilies: ['IPv4'],
  }
  await client.resource(services, 'test').create({ metadata: { name: 'web' }, spec })
  return cluster
}

test('a service without pods has one empty slice', async (t) => {
  const cluster = await serviceCluster(t)
  await cluster.until('there is a slice', async () => (await slices(cluster)).length > 0)
  await cluster.settle()
  const [slice, ...others] = await slices(cluster)
  assert.equal(others.length, 0)
  assert.equal(slice?.endpoints?.length ?? 0, 0)
  assert.equal(slice?.metadata.labels?.['kubernetes.io/service-name'], 'web')
  assert.equal(slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'], 'endpointslice-controller.k8s.io')
})

test('endpoints follow the pods: readiness, termination, end', async (t) => {
  const cluster = await serviceCluster(t)
  const { client } = cluster
  await cluster.run(await pod(cluster, 'a'))
  await cluster.run(await pod(cluster, 'b'))
  await cluster.until('both are ready', async () => (await endpointsOf(cluster)) === 'a true, b true')
  const [slice] = await slices(cluster)
  assert.deepEqual(slice?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
  const legacy = await client.resource(endpoints, 'test').get('web')
  assert.deepEqual(
    legacy.subsets?.map((subset) => [subset.addresses?.map(({ ip }) => ip), subset.ports]),
    [[['10.244.0.1', '10.244.0.2'], [{ name: 'http', port: 8080, protocol: 'TCP' }]]],
  )
  const conditions = [{ type: 'Ready', status: 'False' }]
  await client
    .resource(pods, 'test')
    .patch('a', { type: 'strategic', patch: { status: { conditions } } }, { subresource: 'status' })
  await cluster.until('a is not ready', async () => (await endpointsOf(cluster)) === 'a false, b true')
  await client.resource(pods, 'test').delete('b')
  await cluster.until('b terminates', async () => (await endpointsOf(cluster)) === 'a false, b false')
  const terminating = (await slices(cluster))
    .flatMap((each) => each.endpoints ?? [])
    .find((each) => each.targetRef?.name === 'b')
  assert.deepEqual(terminating?.conditions, { ready: false, serving: true, terminating: true })
  await client.resource(pods, 'test').delete('b', { gracePeriodSeconds: 0 })
  await cluster.until('b is gone', async () => (await endpointsOf(cluster)) === 'a false')
  await client.resource(services, 'test').delete('web')
  await cluster.until('nothing is left', async () => {
    return (await slices(cluster)).length === 0 && (await client.resource(endpoints, 'test').list()).items.length === 0
  })
})

test('Endpoints that people write for a service without a selector are mirrored, changed and removed', async (t) => {
  const cluster = await smallCluster(t)
  const { client } = cluster
  const meta = { metadata: { name: 'web' } }
  await client.resource(services, 'test').create({ ...meta, spec: { ports: [{ port: 80, protocol: 'TCP' }] } } as never)
  const written = client.resource(endpoints, 'test')
  const subsets = (ip: string) => [{ addresses: [{ ip }], ports: [{ port: 80 }] }]
  await written.create({ ...meta, subsets: subsets('192.0.2.1') } as never)
  const addresses = async (): Promise<string> =>
    (await slices(cluster))
      .flatMap((slice) => slice.endpoints ?? [])
      .flatMap((each) => each.addresses)
      .join()
  await cluster.until('they are mirrored', async () => (await addresses()) === '192.0.2.1')
  await written.patch('web', { type: 'merge', patch: { subsets: subsets('192.0.2.2') } })
  await cluster.until('the change is, too', async () => (await addresses()) === '192.0.2.2')
  assert.equal((await slices(cluster)).length, 1)
  await written.delete('web')
  await cluster.until('nothing is left', async () => (await slices(cluster)).length === 0)
})
