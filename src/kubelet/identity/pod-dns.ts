import type { Pod, PodDNSConfig } from '#api/types/core.v1.ts'
import type { DnsConfig } from '../cri/sandbox.ts'

export interface DnsInput {
  /** Addresses of the cluster's DNS service; empty when there is none. */
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** The node's own `resolv.conf`. */
  readonly host: DnsConfig
}

/** Limits of resolvers (API reference, PodDNSConfig). */
const maximumServers = 3
const maximumSearches = 32
const maximumSearchLength = 2048

/** What the pod's `resolv.conf` says, by its `dnsPolicy` and `dnsConfig`. */
export function podDns(pod: Pod, input: DnsInput): DnsConfig {
  return withinLimits(merge(byPolicy(pod, input), pod.spec.dnsConfig))
}

function byPolicy({ metadata, spec }: Pod, { clusterDns, clusterDomain, host }: DnsInput): DnsConfig {
  const { dnsPolicy = 'ClusterFirst' } = spec
  const isCluster =
    dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && spec.hostNetwork !== true)
  if (dnsPolicy === 'None') return { servers: [], searches: [], options: [] }
  if (!isCluster || clusterDns.length === 0) return host
  const domains = [`${metadata.namespace ?? 'default'}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  return { servers: clusterDns, searches: [...new Set([...domains, ...host.searches])], options: ['ndots:5'] }
}

function merge(base: DnsConfig, extra: PodDNSConfig | undefined): DnsConfig {
  if (extra === undefined) return base
  const options = new Map(base.options.map((option) => [option.split(':')[0] as string, option]))
  for (const { name = '', value } of extra.options ?? []) options.set(name, value ? `${name}:${value}` : name)
  return {
    servers: [...new Set([...base.servers, ...(extra.nameservers ?? [])])],
    searches: [...new Set([...base.searches, ...(extra.searches ?? [])])],
    options: [...options.values()],
  }
}

function withinLimits({ servers, searches, options }: DnsConfig): DnsConfig {
  const kept = searches.slice(0, maximumSearches)
  while (kept.join(' ').length > maximumSearchLength) kept.pop()
  return { servers: servers.slice(0, maximumServers), searches: kept, options }
}
