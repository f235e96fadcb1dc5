import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Informers } from '#client/informer.ts'
import type { HostLayout } from '#host/layout.ts'
import { podNetworkConflist } from '#network/cni/conflist.ts'
import { clusterView } from '#network/dns/cluster-view.ts'
import { startDnsServer, type DnsServer } from '#network/dns/dns-server.ts'
import { forwarder } from '#network/dns/forwarder.ts'
import { parseResolvConf } from '#lib/resolv-conf.ts'
import { applyRuleset } from '#network/proxy/apply.ts'
import { startServiceProxy, type ServiceProxy } from '#network/proxy/service-proxy.ts'
import { followNodes, type NodeRoutes } from '#network/routes/follow-nodes.ts'
import { kernelRouteTable } from '#network/routes/route-table.ts'
import type { Effects } from './effects.ts'
import { ranges } from './ranges.ts'

/** Resolvers ask the first three name servers and no more (resolv.conf). */
const resolversMax = 3

export interface NodeNetworkOptions {
  /** Informers with the rights of a service proxy and a cluster name server. */
  readonly informers: Informers
  /** Informers of the node's own pods. */
  readonly podInformers: Informers
  readonly layout: HostLayout
  readonly nodeName: string
  readonly address: string
  readonly podCidr: string
  readonly effects: Effects
}

/** Writes the node's CNI configuration; containerd sees the file and reports its network ready. */
export async function writePodNetwork(layout: HostLayout, podCidr: string): Promise<void> {
  const text = podNetworkConflist({
    name: layout.bridge,
    bridge: layout.bridge,
    podCidr,
    addressFolder: layout.cniAddressDir,
  })
  const path = join(layout.cniConfigDir, '10-coracle.conflist')
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return
  await mkdir(layout.cniConfigDir, { recursive: true, mode: 0o711 })
  await writeFile(path, text, { mode: 0o600 })
}

/** Starts the service proxy of a node. */
export function startProxy(options: NodeNetworkOptions): ServiceProxy {
  const { clock, log } = options.effects
  return startServiceProxy({
    informers: options.informers,
    podInformers: options.podInformers,
    nodeName: options.nodeName,
    clock,
    log: log.with({ component: 'proxy' }),
    ruleset: { table: options.layout.nftTable, clusterCidr: ranges.clusterCidr, podCidr: options.podCidr },
    apply: applyRuleset,
  })
}

/** Leads the node's packets for pods of other nodes to those. */
export function startRoutes(options: NodeNetworkOptions): NodeRoutes {
  const { informers, nodeName, layout, effects } = options
  const protocol = layout.routeProtocol
  const log = effects.log.with({ component: 'routes' })
  return followNodes({ informers, nodeName, protocol, table: kernelRouteTable(protocol), clock: effects.clock, log })
}

/** Starts the name server of a node, on the node's own address; pods reach it by the kube-dns Service. */
export async function startDns(options: NodeNetworkOptions): Promise<DnsServer> {
  const { clock, log } = options.effects
  const { servers } = parseResolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''))
  return startDnsServer({
    address: options.address,
    port: ranges.dnsPort,
    view: clusterView(options.informers),
    zone: { domain: ranges.clusterDomain, ttl: 5, serial: Math.floor(clock.now() / 1000) },
    forwarder: forwarder({ servers: servers.slice(0, resolversMax), clock }),
    clock,
    log: log.with({ component: 'dns' }),
  })
}
