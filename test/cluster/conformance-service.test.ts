/**
 * Goal: what conformance promises of Services and of ports of the node. Method: one cluster with real containers, echo
 * servers behind the services and a pod that asks them; one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Service } from '#api/types/core.v1.ts'
import { endpointSlices, nodes, pods, services } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { createService, echoPort, startEchoServers, tcpPort, udpPort } from './harness/echo-servers.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { allAnswer, startNetworkClient, type NetworkClient } from './harness/network-client.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const area = 'network/service'
const options = { skip, concurrency: 4 }
const external = { type: 'ExternalName', externalName: 'outside.example.com' } as const
const three = ['echo-1', 'echo-2', 'echo-3'] as const

async function nodeAddress(): Promise<string> {
  const [node] = (await shared.client.resource(nodes).list()).items
  return node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
}

async function nodePortUrl({ spec }: Service): Promise<string> {
  const port = spec.ports?.[0]?.nodePort ?? 0
  assert.ok(port >= 30_000 && port <= 32_767)
  return `http://${await nodeAddress()}:${port}`
}

/** Where a service answers: its name, its address, and the node's where it has a port there. */
async function urlsOf(service: Service): Promise<readonly string[]> {
  const { spec, metadata } = service
  const urls = [`http://${metadata.name}`, `http://${spec.clusterIP}`]
  return spec.type === 'NodePort' ? [...urls, await nodePortUrl(service)] : urls
}

async function answersEverywhere(client: NetworkClient, service: Service, names: readonly string[]): Promise<void> {
  for (const url of await urlsOf(service)) await allAnswer(() => client.hostname(url), names)
}

const change = (space: TestSpace, name: string, spec: object): Promise<Service> =>
  space.of(services).patch(name, { type: 'merge', patch: { spec } })

/** No port of the server's own, no address: a name that leads elsewhere. */
async function isOnlyName(space: TestSpace, client: NetworkClient, service: Service): Promise<void> {
  assert.equal(service.spec.clusterIP ?? '', '')
  assert.deepEqual(
    (service.spec.ports ?? []).filter(({ nodePort }) => nodePort !== undefined),
    [],
  )
  const name = `${service.metadata.name}.${space.namespace}.svc.cluster.local`
  await eventually(
    async () => {
      assert.deepEqual(await client.resolve(name, 'CNAME'), [external.externalName])
      return true
    },
    { what: `${name} leads to ${external.externalName}` },
  )
}

describe('services that change their type', options, () => {
  behaviour(area, 'Services should be able to change the type from ClusterIP to ExternalName', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    await startEchoServers(space, ['echo-1'])
    await answersEverywhere(client, await createService(space, 'changing'), ['echo-1'])
    await isOnlyName(space, client, await change(space, 'changing', external))
  })

  behaviour(area, 'Services should be able to change the type from NodePort to ExternalName', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    await startEchoServers(space, ['echo-1'])
    const service = await createService(space, 'changing', { type: 'NodePort' })
    await answersEverywhere(client, service, ['echo-1'])
    const url = await nodePortUrl(service)
    const changed = await change(space, 'changing', { ...external, ports: [{ ...tcpPort, nodePort: null }] })
    await isOnlyName(space, client, changed)
    await eventually(async () => ((await client.get(url).catch(() => '')) === '' ? true : undefined), {
      what: 'the port of the node is closed',
    })
  })

  const becomes = async (space: TestSpace, type: 'ClusterIP' | 'NodePort'): Promise<void> => {
    const client = await startNetworkClient(space)
    await startEchoServers(space, ['echo-1'])
    await isOnlyName(space, client, await createService(space, 'changing', { ...external, ports: [] }))
    const service = await change(space, 'changing', { type, externalName: null, ports: [tcpPort] })
    assert.notEqual(service.spec.clusterIP ?? '', '')
    await answersEverywhere(client, service, ['echo-1'])
  }

  behaviour(area, 'Services should be able to change the type from ExternalName to ClusterIP', async (t) => {
    await becomes(await shared.space(t), 'ClusterIP')
  })

  behaviour(area, 'Services should be able to change the type from ExternalName to NodePort', async (t) => {
    await becomes(await shared.space(t), 'NodePort')
  })

  behaviour(area, 'Services should be able to create a functioning NodePort service', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    await startEchoServers(space, ['echo-1', 'echo-2'])
    const service = await createService(space, 'ports', { type: 'NodePort' })
    await answersEverywhere(client, service, ['echo-1', 'echo-2'])
  })
})

/** Twenty requests in a row go to one and the same server. */
async function isFaithful(client: NetworkClient, url: string): Promise<void> {
  await eventually(async () => ((await client.hostnames(url, 20)).size === 1 ? true : undefined), {
    what: `${url} is answered by one server`,
    timeoutMs: 60_000,
  })
}

describe('session affinity', options, () => {
  const withAffinity = async (space: TestSpace, type: 'ClusterIP' | 'NodePort'): Promise<[NetworkClient, Service]> => {
    const client = await startNetworkClient(space)
    await startEchoServers(space, three)
    const service = await createService(space, 'faithful', { type, sessionAffinity: 'ClientIP' })
    for (const url of await urlsOf(service)) await isFaithful(client, url)
    return [client, service]
  }
  const switched = async (space: TestSpace, type: 'ClusterIP' | 'NodePort'): Promise<void> => {
    const [client, service] = await withAffinity(space, type)
    await change(space, 'faithful', { sessionAffinity: 'None', sessionAffinityConfig: null })
    await answersEverywhere(client, service, three)
    await change(space, 'faithful', { sessionAffinity: 'ClientIP' })
    for (const url of await urlsOf(service)) await isFaithful(client, url)
  }

  behaviour(area, 'Services should have session affinity work for service with type clusterIP', async (t) => {
    await withAffinity(await shared.space(t), 'ClusterIP')
  })
  behaviour(area, 'Services should have session affinity work for NodePort service', async (t) => {
    await withAffinity(await shared.space(t), 'NodePort')
  })
  behaviour(area, 'Services should be able to switch session affinity for service with type clusterIP', async (t) => {
    await switched(await shared.space(t), 'ClusterIP')
  })
  behaviour(area, 'Services should be able to switch session affinity for NodePort service', async (t) => {
    await switched(await shared.space(t), 'NodePort')
  })
})

/** `pod:port` of all ready endpoints of a service. */
async function endpointsOf(space: TestSpace, service: string): Promise<readonly string[]> {
  const labelSelector = `kubernetes.io/service-name=${service}`
  const { items } = await space.of(endpointSlices).list({ labelSelector })
  const found = items.flatMap(({ endpoints, ports }) =>
    (endpoints ?? []).flatMap(({ targetRef, conditions }) =>
      conditions?.ready === false ? [] : (ports ?? []).map(({ port }) => `${targetRef?.name}:${port}`),
    ),
  )
  return found.toSorted()
}

const hasEndpoints = (space: TestSpace, expected: readonly string[]): Promise<unknown> =>
  eventually(
    async () => {
      assert.deepEqual(await endpointsOf(space, 'many'), expected)
      return true
    },
    { what: `the endpoints are ${expected.join(', ')}` },
  )

describe('endpoints', options, () => {
  behaviour(area, 'Services should serve a basic endpoint from pods', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    const service = await createService(space, 'many')
    await hasEndpoints(space, [])
    await startEchoServers(space, ['echo-1'])
    await hasEndpoints(space, [`echo-1:${echoPort}`])
    await answersEverywhere(client, service, ['echo-1'])
    await startEchoServers(space, ['echo-2'])
    await hasEndpoints(space, [`echo-1:${echoPort}`, `echo-2:${echoPort}`])
    await answersEverywhere(client, service, ['echo-1', 'echo-2'])
    await space.of(pods).delete('echo-2')
    await hasEndpoints(space, [`echo-1:${echoPort}`])
    await answersEverywhere(client, service, ['echo-1'])
    await space.of(pods).delete('echo-1')
    await hasEndpoints(space, [])
  })

  behaviour(area, 'Services should serve multiport endpoints from pods', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    const first = { name: 'first', port: 80, targetPort: 'one', protocol: 'TCP' } as const
    const second = { name: 'second', port: 81, targetPort: 'two', protocol: 'TCP' } as const
    await createService(space, 'many', { ports: [first, second] as never })
    await hasEndpoints(space, [])
    const start = async (name: string, portName: string): Promise<unknown> => {
      const ports = [{ name: portName, containerPort: echoPort }]
      return space.start({ name, labels: { app: 'echo' }, container: { image: 'coracle.test/echo:1', ports } })
    }
    await start('echo-1', 'one')
    await hasEndpoints(space, [`echo-1:${echoPort}`])
    await start('echo-2', 'two')
    await hasEndpoints(space, [`echo-1:${echoPort}`, `echo-2:${echoPort}`])
    await allAnswer(() => client.hostname('http://many'), ['echo-1'])
    await allAnswer(() => client.hostname('http://many:81'), ['echo-2'])
    await space.of(pods).delete('echo-1')
    await hasEndpoints(space, [`echo-2:${echoPort}`])
    await space.of(pods).delete('echo-2')
    await hasEndpoints(space, [])
  })

  behaviour(area, 'Services should serve endpoints on same port and different protocols', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    await startEchoServers(space, ['echo-1'])
    const { spec } = await createService(space, 'many', { ports: [tcpPort, udpPort] })
    const address = spec.clusterIP ?? ''
    const byTcp = (): Promise<string> => client.hostname(`http://${address}`)
    const byUdp = (): Promise<string> => client.datagram(address, 80)
    const fails = (ask: () => Promise<string>, what: string): Promise<unknown> =>
      eventually(async () => ((await ask().catch(() => 'none')) === 'none' ? true : undefined), { what })
    await allAnswer(byTcp, ['echo-1'])
    await allAnswer(byUdp, ['echo-1'])
    await change(space, 'many', { ports: [tcpPort] })
    await fails(byUdp, 'datagrams are no longer answered')
    await allAnswer(byTcp, ['echo-1'])
    await change(space, 'many', { ports: [udpPort] })
    await fails(byTcp, 'connections are no longer answered')
    await allAnswer(byUdp, ['echo-1'])
  })
})

describe('services as objects', options, () => {
  behaviour(area, 'Services should find a service from listing all namespaces', async () => {
    const { items } = await shared.client.resource(services).list()
    assert.ok(items.some(({ metadata }) => metadata.name === 'kubernetes' && metadata.namespace === 'default'))
  })

  behaviour(area, 'Services should complete a service status lifecycle', async (t) => {
    const space = await shared.space(t)
    const own = space.of(services)
    const labels = { 'test-service-static': 'true' }
    const ports = [{ name: 'http', port: 80, protocol: 'TCP' }] as never
    const spec = { type: 'LoadBalancer', ports, loadBalancerClass: 'coracle.test/lb' } as Service['spec']
    await own.create({ metadata: { name: 'lived', labels }, spec })
    const ingress = [{ ip: '203.0.113.1' }]
    const patch = {
      metadata: { annotations: { patchedstatus: 'true' } },
      status: { loadBalancer: { ingress } },
    }
    const patched = await own.patch('lived', { type: 'merge', patch }, { subresource: 'status' })
    assert.equal(patched.metadata.annotations?.['patchedstatus'], 'true')
    assert.equal(patched.status?.loadBalancer?.ingress?.[0]?.ip, '203.0.113.1')
    const path = `/api/v1/namespaces/${space.namespace}/services/lived/status`
    const read = (await space.client.raw({ method: 'GET', path })) as Service
    assert.deepEqual(read.status, patched.status)
    const conditions = [
      {
        type: 'StatusUpdate',
        status: 'True',
        reason: 'E2E',
        message: 'Set from a test',
        lastTransitionTime: read.metadata.creationTimestamp,
      },
    ] as never
    const updated = await own.updateStatus({ ...read, status: { ...read.status, conditions } })
    assert.equal(updated.status?.conditions?.[0]?.type, 'StatusUpdate')
    await own.patch('lived', { type: 'strategic', patch: { metadata: { labels: { 'test-service': 'patched' } } } })
    assert.equal((await own.list({ labelSelector: 'test-service=patched' })).items.length, 1)
    await own.delete('lived')
    await space.waitGone(services, 'lived')
  })

  behaviour(area, 'Services should delete a collection of services', async (t) => {
    const space = await shared.space(t)
    for (const [index, group] of ['gone', 'gone', 'kept'].entries()) {
      const metadata = { name: `service-${index}`, labels: { group } }
      await space.of(services).create({ metadata, spec: { ports: [tcpPort] } as Service['spec'] })
    }
    assert.equal((await space.of(services).list()).items.length, 3)
    await space.of(services).deleteCollection({ labelSelector: 'group=gone' })
    const names = (await space.of(services).list()).items.map(({ metadata }) => metadata.name)
    assert.deepEqual(names, ['service-2'])
  })
})

describe('ports of the node', options, () => {
  behaviour(
    'network/hostport',
    'HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol',
    async (t) => {
      const space = await shared.space(t)
      const address = await nodeAddress()
      const start = (name: string, hostIP: string, protocol: 'TCP' | 'UDP'): Promise<unknown> => {
        const ports = [{ containerPort: echoPort, hostPort: 54_323, hostIP, protocol }]
        return space.start({ name, container: { image: 'coracle.test/echo:1', ports } })
      }
      await start('pod1', '127.0.0.1', 'TCP')
      await start('pod2', address, 'TCP')
      await start('pod3', address, 'UDP')
      const client = await startNetworkClient(space, { hostNetwork: true })
      await allAnswer(() => client.hostname('http://127.0.0.1:54323'), ['pod1'])
      await allAnswer(() => client.hostname(`http://${address}:54323`), ['pod2'])
      await allAnswer(() => client.datagram(address, 54_323), ['pod3'])
    },
  )
})
