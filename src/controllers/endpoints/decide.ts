import { isIPv6 } from 'node:net'
import { isPodReady, podIps, resolvePodPort } from '#api/core/v1/pod-facts.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '#api/types/core.v1.ts'
import { canBeEndpoint, isHeadless, isSelected } from '../service-pods.ts'

/** Most addresses of one Endpoints object; beyond that it is cut off and marked. */
const maxAddresses = 1_000

interface Placed {
  readonly address: EndpointAddress
  readonly isReady: boolean
}

export interface Subsets {
  readonly subsets: readonly EndpointSubset[]
  readonly isTruncated: boolean
}

/** The subsets of a service: addresses that listen on the same ports together, sorted, ready ones apart. */
export function decideSubsets(service: Service, pods: readonly Pod[]): Subsets {
  const includeTerminating = service.spec?.publishNotReadyAddresses === true
  const wantsIPv6 = service.spec?.ipFamilies?.[0] === 'IPv6'
  const groups = new Map<string, { ports: readonly EndpointPort[]; placed: Placed[] }>()
  for (const pod of pods) {
    if (!isSelected(service, pod) || !canBeEndpoint(pod, { includeTerminating })) continue
    const ip = podIps(pod).find((candidate) => isIPv6(candidate) === wantsIPv6)
    const ports = portsOf(service, pod)
    if (ip === undefined || (ports.length === 0 && !isHeadless(service))) continue
    const key = JSON.stringify(ports)
    const group = groups.get(key) ?? { ports, placed: [] }
    groups.set(key, group)
    group.placed.push({ address: addressOf(service, pod, ip), isReady: includeTerminating || isPodReady(pod) })
  }
  return truncate(
    [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { ports, placed }]) => subsetOf(ports, placed)),
  )
}

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  const ports = (service.spec?.ports ?? []).flatMap(({ name, port, targetPort, protocol = 'TCP', appProtocol }) => {
    const number = resolvePodPort(pod, targetPort ?? port, protocol)
    if (number === undefined) return []
    return [{ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
  return ports.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

function addressOf(service: Service, { metadata, spec }: Pod, ip: string): EndpointAddress {
  const { name, namespace = '', uid } = metadata
  const hasHostname = spec.hostname !== undefined && spec.hostname !== '' && spec.subdomain === service.metadata.name
  return {
    ip,
    ...(hasHostname ? { hostname: spec.hostname } : {}),
    ...(spec.nodeName ? { nodeName: spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

function subsetOf(ports: readonly EndpointPort[], placed: readonly Placed[]): EndpointSubset {
  const sorted = placed.toSorted((a, b) => (a.address.ip < b.address.ip ? -1 : 1))
  const addresses = sorted.filter(({ isReady }) => isReady).map(({ address }) => address)
  const notReadyAddresses = sorted.filter(({ isReady }) => !isReady).map(({ address }) => address)
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports }),
  }
}

/** Ready addresses stay as long as there is room for them. */
function truncate(subsets: readonly EndpointSubset[]): Subsets {
  const total = subsets.reduce((sum, { addresses, notReadyAddresses }) => {
    return sum + (addresses?.length ?? 0) + (notReadyAddresses?.length ?? 0)
  }, 0)
  if (total <= maxAddresses) return { subsets, isTruncated: false }
  let room = maxAddresses
  const take = <T>(list: readonly T[] | undefined): readonly T[] => {
    const taken = (list ?? []).slice(0, room)
    room -= taken.length
    return taken
  }
  const ready = subsets.map(({ addresses }) => take(addresses))
  const cut = subsets.map(({ notReadyAddresses, ports }, index): EndpointSubset => {
    const notReady = take(notReadyAddresses)
    const addresses = ready[index] ?? []
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
      ...(ports === undefined ? {} : { ports }),
    }
  })
  return { subsets: cut.filter((subset) => subset.addresses || subset.notReadyAddresses), isTruncated: true }
}
