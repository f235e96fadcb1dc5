import type { ServiceRoute, Target } from './service-ports.ts'

/**
 * The proxy's nftables table as data: base chains whose rules never change, one chain for each service port, and the
 * sets and maps that lead to them. A packet's way, by example (service 10.96.0.20:80, pods 10.244.0.5 and .6):
 *
 *   prerouting or output → services: `10.96.0.20 . tcp . 80` found in @service-ips → goto svc-default/web/http
 *   svc-default/web/http: mark for masquerade if it comes from outside of the pod network, then
 *     dnat to one of { 10.244.0.5 . 80, 10.244.0.6 . 80 }
 *   postrouting: masquerade what is marked, and a pod that reached itself.
 *
 * A packet that still bears a service address at the filter hooks found no endpoint: it is rejected.
 */
export interface Ruleset {
  readonly table: string
  readonly baseChains: ReadonlyMap<string, readonly string[]>
  readonly chains: ReadonlyMap<string, readonly string[]>
  /** By name: the declared type, and elements by key; the value is the verdict of a map, or empty for a set. */
  readonly collections: ReadonlyMap<string, Collection>
}

export interface Collection {
  readonly kind: 'set' | 'map'
  readonly type: string
  readonly elements: ReadonlyMap<string, string>
}

export interface RulesetOptions {
  readonly table: string
  /** The whole cluster's pod range: traffic inside of it keeps its source address. */
  readonly clusterCidr: string
  /** This node's pods; leaving the cluster they take the node's address. Absent while the node has no range yet. */
  readonly podCidr: string | undefined
}

const masqueradeMark = '0x4000'

/** Builds the table for all routes of this node. Pure; the order of the routes does not matter. */
export function buildRuleset(routes: readonly ServiceRoute[], options: RulesetOptions): Ruleset {
  const chains = new Map<string, readonly string[]>()
  const serviceIps = new Map<string, string>()
  const nodePorts = new Map<string, string>()
  const deadNodePorts = new Map<string, string>()
  const clusterIps = new Map<string, string>()
  const hairpins = new Map<string, string>()
  for (const route of [...routes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    addServiceChains(chains, route, options)
    for (const address of route.addresses) {
      if (route.ownsAddresses) clusterIps.set(address, '')
      if (route.clusterTargets.length > 0) {
        serviceIps.set(`${address} . ${route.protocol} . ${route.port}`, `goto ${serviceChain(route)}`)
      }
    }
    if (route.nodePort !== undefined) {
      const key = `${route.protocol} . ${route.nodePort}`
      if (route.externalTargets.length > 0) nodePorts.set(key, `goto ${externalChain(route)}`)
      else deadNodePorts.set(key, '')
    }
    for (const { address } of [...route.clusterTargets, ...route.externalTargets]) {
      hairpins.set(`${address} . ${address}`, '')
    }
  }
  const collections = new Map<string, Collection>([
    ['cluster-ips', { kind: 'set', type: 'ipv4_addr', elements: clusterIps }],
    ['hairpins', { kind: 'set', type: 'ipv4_addr . ipv4_addr', elements: hairpins }],
    ['dead-node-ports', { kind: 'set', type: 'inet_proto . inet_service', elements: deadNodePorts }],
    ['service-ips', { kind: 'map', type: 'ipv4_addr . inet_proto . inet_service : verdict', elements: serviceIps }],
    ['node-ports', { kind: 'map', type: 'inet_proto . inet_service : verdict', elements: nodePorts }],
  ])
  return { table: options.table, baseChains: baseChains(options), chains, collections }
}

function serviceChain(route: ServiceRoute): string {
  return `svc-${route.name}`
}

function externalChain(route: ServiceRoute): string {
  return `ext-${route.name}`
}

function addServiceChains(chains: Map<string, readonly string[]>, route: ServiceRoute, options: RulesetOptions): void {
  if (route.clusterTargets.length > 0) {
    const mark = `ip saddr != ${options.clusterCidr} meta mark set meta mark or ${masqueradeMark}`
    chains.set(serviceChain(route), [mark, balance(route, route.clusterTargets)])
  }
  if (route.nodePort !== undefined && route.externalTargets.length > 0) {
    const mark = route.keepsClientAddress ? [] : [`meta mark set meta mark or ${masqueradeMark}`]
    chains.set(externalChain(route), [...mark, balance(route, route.externalTargets)])
  }
}

/** Client affinity hashes the source address: the same client meets the same endpoint while the endpoints stay. */
function balance(route: ServiceRoute, targets: readonly Target[]): string {
  const [only] = targets
  if (targets.length === 1 && only) return `meta l4proto ${route.protocol} dnat to ${only.address}:${only.port}`
  const pick = route.affinity === 'clientIP' ? 'jhash ip saddr' : 'numgen random'
  const seed = route.affinity === 'clientIP' ? ' seed 0x636f7261' : ''
  const rows = targets.map(({ address, port }, index) => `${index} : ${address} . ${port}`)
  return `meta l4proto ${route.protocol} dnat ip to ${pick} mod ${targets.length}${seed} map { ${rows.join(', ')} }`
}

function baseChains({ clusterCidr, podCidr }: RulesetOptions): Map<string, readonly string[]> {
  const reject = ['ct state new ip daddr @cluster-ips reject']
  return new Map([
    [
      'services',
      [
        'ip daddr . meta l4proto . th dport vmap @service-ips',
        'fib daddr type local meta l4proto . th dport vmap @node-ports',
      ],
    ],
    ['prerouting', ['type nat hook prerouting priority dstnat; policy accept;', 'jump services']],
    ['output', ['type nat hook output priority -100; policy accept;', 'jump services']],
    [
      'postrouting',
      [
        'type nat hook postrouting priority srcnat; policy accept;',
        `meta mark and ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark xor ${masqueradeMark} masquerade fully-random`,
        'ip saddr . ip daddr @hairpins masquerade fully-random',
        // Packets from the machine's loopback to a pod must take an address that the pod can answer to.
        `ip saddr 127.0.0.0/8 ip daddr ${clusterCidr} masquerade`,
        ...(podCidr === undefined ? [] : [`ip saddr ${podCidr} ip daddr != ${clusterCidr} masquerade fully-random`]),
      ],
    ],
    ['filter-forward', ['type filter hook forward priority filter; policy accept;', ...reject]],
    ['filter-output', ['type filter hook output priority filter; policy accept;', ...reject]],
    [
      'filter-input',
      [
        'type filter hook input priority filter; policy accept;',
        // route_localnet opens 127.0.0.0/8 to neighbours; shut that door again (CVE-2020-8558).
        'iifname != "lo" ip daddr 127.0.0.0/8 ct state { new, invalid } drop',
        'ct state new ip daddr @cluster-ips reject',
        'ct state new meta l4proto . th dport @dead-node-ports reject',
      ],
    ],
  ])
}
