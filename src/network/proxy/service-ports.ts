import type { EndpointSlice, Endpoint } from '#api/types/discovery.v1.ts'
import type { Service, ServicePort } from '#api/types/core.v1.ts'

/** One port of one service, with where its traffic goes: all that the ruleset needs to know. */
export interface ServiceRoute {
  /** `namespace/name/port`, unique and stable. */
  readonly name: string
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly port: number
  /** Cluster, external and load balancer addresses that the service answers on. */
  readonly addresses: readonly string[]
  /** Whether the addresses are the service's alone: what reaches no endpoint on them is rejected. */
  readonly ownsAddresses: boolean
  readonly nodePort: number | undefined
  /** Where in-cluster and external traffic goes; the two differ under a `Local` traffic policy. */
  readonly clusterTargets: readonly Target[]
  readonly externalTargets: readonly Target[]
  /** Whether external traffic keeps its client address. */
  readonly keepsClientAddress: boolean
  readonly affinity: 'none' | 'clientIP'
}

export interface Target {
  readonly address: string
  readonly port: number
}

/** The routes of a service on this node. Services without a cluster address (headless, ExternalName) have none. */
export function routesOf(service: Service, slices: readonly EndpointSlice[], nodeName: string): ServiceRoute[] {
  const clusterIP = service.spec.clusterIP
  if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None' || service.spec.type === 'ExternalName')
    return []
  const ipv4 = slices.filter((slice) => slice.addressType === 'IPv4')
  return (service.spec.ports ?? []).map((port) => routeOf(service, port, ipv4, nodeName))
}

function routeOf(
  service: Service,
  port: ServicePort,
  slices: readonly EndpointSlice[],
  nodeName: string,
): ServiceRoute {
  const { spec } = service
  const all = slices.flatMap((slice) => endpointsOf(slice, port))
  const local = all.filter(({ endpoint }) => endpoint.nodeName === nodeName)
  const localOnly = spec.externalTrafficPolicy === 'Local'
  return {
    name: `${service.metadata.namespace}/${service.metadata.name}/${port.name ?? port.port}`,
    protocol: (port.protocol ?? 'TCP').toLowerCase() as ServiceRoute['protocol'],
    port: port.port,
    addresses: addressesOf(service),
    ownsAddresses: true,
    nodePort: port.nodePort,
    clusterTargets: targetsOf(spec.internalTrafficPolicy === 'Local' ? local : all),
    externalTargets: targetsOf(localOnly ? local : all),
    keepsClientAddress: localOnly,
    affinity: spec.sessionAffinity === 'ClientIP' ? 'clientIP' : 'none',
  }
}

function addressesOf(service: Service): string[] {
  const balancers = (service.status?.loadBalancer?.ingress ?? []).filter((ingress) => ingress.ipMode !== 'Proxy')
  const all = [service.spec.clusterIP, ...(service.spec.externalIPs ?? []), ...balancers.map((ingress) => ingress.ip)]
  return [...new Set(all.filter((address) => address !== undefined && isIPv4(address)))] as string[]
}

function isIPv4(address: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(address)
}

interface Candidate {
  readonly endpoint: Endpoint
  readonly target: Target
}

function endpointsOf(slice: EndpointSlice, port: ServicePort): Candidate[] {
  const found = (slice.ports ?? []).find(
    (candidate) =>
      (candidate.name ?? '') === (port.name ?? '') && (candidate.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
  )
  if (found?.port === undefined) return []
  const number = found.port
  return (slice.endpoints ?? []).flatMap((endpoint) =>
    endpoint.addresses.slice(0, 1).map((address) => ({ endpoint, target: { address, port: number } })),
  )
}

/**
 * Ready endpoints; where none is ready, those that still serve while they terminate (KEP-1669), so that the last pods
 * of a rollout answer until they are gone.
 */
function targetsOf(candidates: readonly Candidate[]): Target[] {
  const ready = candidates.filter(({ endpoint }) => endpoint.conditions?.ready !== false)
  const chosen = ready.length > 0 ? ready : candidates.filter(({ endpoint }) => isServingWhileTerminating(endpoint))
  const unique = new Map(chosen.map(({ target }) => [`${target.address}:${target.port}`, target]))
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target)
}

function isServingWhileTerminating({ conditions }: Endpoint): boolean {
  return conditions?.terminating === true && conditions.serving !== false
}
