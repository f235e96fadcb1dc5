import { isIPv6 } from 'node:net'
import { isPodReady, podIps, resolvePodPort } from '#api/core/v1/pod-facts.ts'
import type { Node, Pod, Service } from '#api/types/core.v1.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '#api/types/discovery.v1.ts'
import { canBeEndpoint, isHeadless, isSelected } from '../service-pods.ts'
import { hintsFor } from './hints.ts'
import { zoneLabel } from './zone-shares.ts'

export type AddressType = Extract<EndpointSlice['addressType'], 'IPv4' | 'IPv6'>

/** Endpoints that listen on the same ports, and so share slices. */
export interface PortGroup {
  readonly addressType: AddressType
  readonly ports: readonly EndpointPort[]
  /** By pod name: the order of `endpoints` in a new slice. */
  readonly endpoints: readonly Endpoint[]
}

/** The address families the service is reached by. */
export function addressTypesOf({ spec }: Service): readonly AddressType[] {
  if (spec?.ipFamilies !== undefined && spec.ipFamilies.length > 0) return spec.ipFamilies as readonly AddressType[]
  return [spec?.clusterIP !== undefined && isIPv6(spec.clusterIP) ? 'IPv6' : 'IPv4']
}

/** What the endpoints of a service must be, grouped by address family and ports. `nodeOf` finds a pod's node. */
export function endpointsOfService(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): readonly PortGroup[] {
  const groups = new Map<string, PortGroup & { endpoints: Endpoint[] }>()
  const chosen = pods.filter((pod) => isSelected(service, pod) && canBeEndpoint(pod, { includeTerminating: true }))
  chosen.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  for (const addressType of addressTypesOf(service)) {
    for (const pod of chosen) {
      const addresses = podIps(pod).filter((ip) => isIPv6(ip) === (addressType === 'IPv6'))
      const ports = portsOf(service, pod)
      if (addresses.length === 0 || (ports.length === 0 && !isHeadless(service))) continue
      const key = `${addressType} ${portsKey(ports)}`
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] }
      groups.set(key, group)
      group.endpoints.push(endpointOf(service, pod, addresses, nodeOf))
    }
  }
  return [...groups.values()]
}

/** Equal for lists that name the same ports, in whatever order. */
export function portsKey(ports: readonly EndpointPort[] | undefined): string {
  const texts = (ports ?? []).map(({ name, port, protocol, appProtocol }) =>
    JSON.stringify([name ?? '', port ?? 0, protocol ?? 'TCP', appProtocol ?? '']),
  )
  return texts.sort().join()
}

/** The ports of the service as this pod has them; a name that the pod does not declare is left out. */
function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap(({ name, port, targetPort, protocol = 'TCP', appProtocol }) => {
    const number = resolvePodPort(pod, targetPort ?? port, protocol)
    if (number === undefined) return []
    return [{ name: name ?? '', port: number, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }]
  })
}

function endpointOf(
  service: Service,
  pod: Pod,
  addresses: readonly string[],
  nodeOf: (name: string) => Node | undefined,
): Endpoint {
  const { name, namespace = '', uid, deletionTimestamp } = pod.metadata
  const { nodeName, hostname, subdomain } = pod.spec
  const serving = isPodReady(pod)
  const terminating = deletionTimestamp !== undefined
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating)
  const zone = nodeName === undefined ? undefined : nodeOf(nodeName)?.metadata.labels?.[zoneLabel]
  const hasHostname = hostname !== undefined && hostname !== '' && subdomain === service.metadata.name
  const conditions = { ready, serving, terminating }
  const hints = hintsFor(service, { conditions, zone, nodeName })
  return {
    addresses,
    conditions,
    ...(hints === undefined ? {} : { hints }),
    ...(hasHostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(zone === undefined ? {} : { zone }),
  }
}
