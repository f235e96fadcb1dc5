/**
 * Goal: what conformance promises of names in a cluster. Method: one cluster, pods that ask its name server and their own
 * resolver, one test for each behaviour, named after it.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Service } from '#api/types/core.v1.ts'
import { pods, services } from '#api/types/resources.ts'
import { behaviour } from '../conformance/behaviour.ts'
import { createService, echoPort, startEchoServers, tcpPort } from './harness/echo-servers.ts'
import { eventually } from './harness/eventually.ts'
import { skipWithoutRoot as skip } from './harness/needs-root.ts'
import { startNetworkClient, type NetworkClient } from './harness/network-client.ts'
import { sharedCluster } from './harness/shared-cluster.ts'
import type { TestSpace } from './harness/test-space.ts'

const shared = sharedCluster()
const area = 'network/dns'
const domain = 'svc.cluster.local'

/** Waits until a question has the expected answer: names follow objects with a short delay. */
async function resolvesTo(client: NetworkClient, name: string, type: string, expected: unknown): Promise<void> {
  let last: unknown
  await eventually(
    async () => {
      last = await client.resolve(name, type)
      assert.deepEqual(last, expected)
      return true
    },
    { what: `${name} ${type} is ${JSON.stringify(expected)}` },
  ).catch((error: unknown) => {
    throw new Error(`the last answer was ${JSON.stringify(last)}`, { cause: error })
  })
}

const headless = (space: TestSpace, name: string): Promise<Service> =>
  createService(space, name, { clusterIP: 'None', ports: [{ ...tcpPort, port: echoPort }] })

async function addressOf(space: TestSpace, pod: string): Promise<string> {
  return (await space.of(pods).get(pod)).status?.podIP ?? ''
}

describe('names', { skip, concurrency: 4 }, () => {
  behaviour(area, 'DNS should provide /etc/hosts entries for the cluster', async (t) => {
    const space = await shared.space(t)
    await headless(space, 'names')
    const full = `querier.names.${space.namespace}.${domain}`
    const script = `grep -w "${full}" /etc/hosts && grep -w querier /etc/hosts && hostname -f`
    const log = await space.output({ name: 'other', script, spec: { hostname: 'querier', subdomain: 'names' } })
    const address = await addressOf(space, 'other')
    assert.deepEqual(log.trim().split('\n'), [`${address}\t${full}\tquerier`, `${address}\t${full}\tquerier`, full])
  })

  behaviour(area, 'DNS should provide DNS for ExternalName services', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    const name = `outside.${space.namespace}.${domain}`
    await createService(space, 'outside', { type: 'ExternalName', externalName: 'foo.example.com' })
    await resolvesTo(client, name, 'CNAME', ['foo.example.com'])
    const patch = (spec: object): Promise<Service> =>
      space.of(services).patch('outside', { type: 'merge', patch: { spec } })
    await patch({ externalName: 'bar.example.com' })
    await resolvesTo(client, name, 'CNAME', ['bar.example.com'])
    const { spec } = await patch({ type: 'ClusterIP', externalName: null, ports: [tcpPort] })
    assert.match(spec.clusterIP ?? '', /^10\./)
    await resolvesTo(client, name, 'A', [spec.clusterIP])
  })

  behaviour(area, 'DNS should provide DNS for pods for Hostname', async (t) => {
    const space = await shared.space(t)
    await headless(space, 'names')
    await startEchoServers(space, ['server'], { hostname: 'querier', subdomain: 'names' })
    const client = await startNetworkClient(space)
    const address = await addressOf(space, 'server')
    await resolvesTo(client, `querier.names.${space.namespace}.${domain}`, 'A', [address])
    assert.equal(await client.hostname(`http://querier.names:${echoPort}`), 'querier')
  })

  behaviour(area, 'DNS should provide DNS for pods for Subdomain', async (t) => {
    const space = await shared.space(t)
    await headless(space, 'names')
    await startEchoServers(space, ['server'], { hostname: 'querier', subdomain: 'names' })
    const client = await startNetworkClient(space)
    const address = await addressOf(space, 'server')
    await resolvesTo(client, `names.${space.namespace}.${domain}`, 'A', [address])
    await resolvesTo(client, `querier.names.${space.namespace}.${domain}`, 'A', [address])
  })

  behaviour(area, 'DNS should provide DNS for services', async (t) => {
    const space = await shared.space(t)
    await headless(space, 'headless')
    const { spec } = await createService(space, 'usual')
    await startEchoServers(space, ['server'])
    const client = await startNetworkClient(space)
    const address = await addressOf(space, 'server')
    const clusterIP = spec.clusterIP ?? ''
    const inNamespace = (name: string): string => `${name}.${space.namespace}.${domain}`
    await resolvesTo(client, inNamespace('headless'), 'A', [address])
    await resolvesTo(client, inNamespace('usual'), 'A', [clusterIP])
    const target = `${address.replaceAll('.', '-')}.${inNamespace('headless')}`
    const srv = { type: 'SRV', priority: 0, weight: 100 }
    await resolvesTo(client, inNamespace('_http._tcp.headless'), 'SRV', [{ ...srv, name: target, port: echoPort }])
    await resolvesTo(client, inNamespace('_http._tcp.usual'), 'SRV', [{ ...srv, name: inNamespace('usual'), port: 80 }])
    await resolvesTo(client, reverse(clusterIP), 'PTR', [inNamespace('usual')])
    // As upstream's name server does, each service that leads to the pod gives it a name.
    const names = (await client.resolve(reverse(address), 'PTR')) as readonly string[]
    assert.ok(names.includes(target), names.join(', '))
  })

  behaviour(area, 'DNS should provide DNS for the cluster', async (t) => {
    const space = await shared.space(t)
    const client = await startNetworkClient(space)
    const { spec } = await shared.client.resource(services, 'default').get('kubernetes')
    await resolvesTo(client, `kubernetes.default.${domain}`, 'A', [spec.clusterIP])
    assert.match(await client.run('nslookup', `kubernetes.default.${domain}`), /Address: 10\.96\.0\.1\b/)
  })

  behaviour(area, 'DNS should resolve DNS of partial qualified names for services', async (t) => {
    const space = await shared.space(t)
    await headless(space, 'headless')
    await createService(space, 'usual')
    await startEchoServers(space, ['server'])
    const client = await startNetworkClient(space)
    const search = /^search (.*)$/m.exec(await client.run('cat', '/etc/resolv.conf'))?.[1]?.split(' ') ?? []
    assert.deepEqual(search.slice(0, 3), [`${space.namespace}.${domain}`, domain, 'cluster.local'])
    for (const [service, port] of [
      ['headless', echoPort],
      ['usual', 80],
    ] as const) {
      for (const name of [service, `${service}.${space.namespace}`, `${service}.${space.namespace}.svc`]) {
        assert.equal(await client.hostname(`http://${name}:${port}`), 'server')
      }
      for (const [index, part] of [`_http._tcp.${service}`, `_http._tcp.${service}.${space.namespace}`].entries()) {
        const [found] = (await client.resolve(`${part}.${search[index]}`, 'SRV')) as { readonly port: number }[]
        assert.equal(found?.port, port)
      }
    }
  })

  behaviour(area, 'DNS should support configurable pod DNS nameservers', async (t) => {
    const space = await shared.space(t)
    const dnsConfig = { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'] }
    const log = await space.output({ script: 'cat /etc/resolv.conf', spec: { dnsPolicy: 'None', dnsConfig } })
    assert.deepEqual(log.trim().split('\n').sort(), ['nameserver 1.1.1.1', 'search resolv.conf.local'])
  })
})

function reverse(address: string): string {
  return `${address.split('.').reverse().join('.')}.in-addr.arpa`
}
