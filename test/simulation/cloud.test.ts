/**
 * Goal: services get their load balancers and nodes their routes from whatever cloud there is. Method: all controllers with
 * a cloud in memory that records what it is asked.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '#api/types/core.v1.ts'
import { events, nodes, services } from '#api/types/resources.ts'
import type { CloudProvider, Route } from '#controllers/cloud/cloud-provider.ts'
import { smallCluster, type SmallCluster } from './small-cluster.ts'

function memoryCloud() {
  const state = { balancers: new Map<string, readonly string[]>(), routes: [] as Route[], broken: false }
  const cloud: CloudProvider = {
    loadBalancers: {
      async ensure({ metadata }, behind) {
        if (state.broken) throw new Error('no quota')
        state.balancers.set(metadata.name, behind.map((node) => node.metadata.name).sort())
        return { ingress: [{ ip: '203.0.113.7', ipMode: 'VIP' }] }
      },
      async updateNodes({ metadata }, behind) {
        state.balancers.set(metadata.name, behind.map((node) => node.metadata.name).sort())
      },
      async remove({ metadata }) {
        state.balancers.delete(metadata.name)
      },
    },
    routes: {
      list: async () => [...state.routes],
      create: async (route) => void state.routes.push(route),
      remove: async (route) =>
        void state.routes.splice(
          state.routes.findIndex(({ nodeName }) => nodeName === route.nodeName),
          1,
        ),
    },
  }
  return { cloud, state }
}

const addNode = ({ client }: SmallCluster, name: string, podCIDR?: string) =>
  client
    .resource(nodes)
    .create({ metadata: { name }, spec: podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] } })

const createService = ({ client }: SmallCluster, spec: object = {}): Promise<Service> =>
  client
    .resource(services, 'test')
    .create({ metadata: { name: 'web' }, spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec } } as never)

const read = ({ client }: SmallCluster): Promise<Service> => client.resource(services, 'test').get('web')

test('a service of type LoadBalancer gets its balancer, which follows the nodes and goes with the type', async (t) => {
  const { cloud, state } = memoryCloud()
  const cluster = await smallCluster(t, { cloud })
  await addNode(cluster, 'n1')
  await createService(cluster)
  await cluster.until(
    'the service has its address',
    async () => (await read(cluster)).status?.loadBalancer?.ingress?.[0]?.ip === '203.0.113.7',
  )
  assert.deepEqual((await read(cluster)).metadata.finalizers, ['service.kubernetes.io/load-balancer-cleanup'])
  await addNode(cluster, 'n2')
  await cluster.until('the new node is behind it', () => state.balancers.get('web')?.join() === 'n1,n2')
  await cluster.client
    .resource(services, 'test')
    .patch('web', { type: 'merge', patch: { spec: { type: 'ClusterIP' } } })
  await cluster.until('the balancer is gone', () => state.balancers.size === 0)
  await cluster.until('nothing tells of it', async () => {
    const { metadata, status } = await read(cluster)
    return metadata.finalizers === undefined && (status?.loadBalancer?.ingress ?? []).length === 0
  })
})

test('a deleted service goes when its balancer is gone', async (t) => {
  const { cloud, state } = memoryCloud()
  const cluster = await smallCluster(t, { cloud })
  await createService(cluster)
  await cluster.until(
    'it has a balancer',
    async () => state.balancers.has('web') && (await read(cluster)).status?.loadBalancer?.ingress !== undefined,
  )
  await cluster.client.resource(services, 'test').delete('web')
  await cluster.until('both are gone', async () => {
    const { items } = await cluster.client.resource(services, 'test').list()
    return items.length === 0 && state.balancers.size === 0
  })
})

test('a failure of the cloud is told and tried again; classes of others are left alone', async (t) => {
  const { cloud, state } = memoryCloud()
  const cluster = await smallCluster(t, { cloud })
  state.broken = true
  await createService(cluster)
  await cluster.until('the failure is told', async () => {
    const { items } = await cluster.client.resource(events, 'test').list()
    return items.some(({ reason }) => reason === 'SyncLoadBalancerFailed')
  })
  state.broken = false
  await cluster.until('it works in the end', () => state.balancers.has('web'))
  const spec = { type: 'LoadBalancer', loadBalancerClass: 'example.com/other', ports: [{ port: 80 }] }
  await cluster.client.resource(services, 'test').create({ metadata: { name: 'other' }, spec } as never)
  await cluster.settle()
  assert.deepEqual([...state.balancers.keys()], ['web'])
})

test('each node has a route for its pods, and says that its network is there', async (t) => {
  const { cloud, state } = memoryCloud()
  state.routes.push({ nodeName: 'former', cidr: '10.244.9.0/24' })
  const cluster = await smallCluster(t, { cloud })
  await addNode(cluster, 'n1', '10.244.1.0/24')
  await cluster.until(
    'the table is right',
    () => JSON.stringify(state.routes) === JSON.stringify([{ nodeName: 'n1', cidr: '10.244.1.0/24' }]),
  )
  await cluster.until('the node says so', async () => {
    const { status } = await cluster.client.resource(nodes).get('n1')
    return (
      status?.conditions?.some(
        ({ type, status: state, reason }) =>
          type === 'NetworkUnavailable' && state === 'False' && reason === 'RouteCreated',
      ) ?? false
    )
  })
})
