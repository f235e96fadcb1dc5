import { isIPv6 } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { controllerReference } from '#api/meta/owner.ts'
import type { New } from '#api/meta/resource.ts'
import type { EndpointAddress, Endpoints, EndpointSubset, Service } from '#api/types/core.v1.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '#api/types/discovery.v1.ts'
import { managedByLabel, serviceNameLabel } from '../endpoint-slice/decide.ts'
import { portsKey } from '../endpoint-slice/endpoints-of-service.ts'

export const mirrorName = 'endpointslicemirroring-controller.k8s.io'

/** Most addresses of one subset that are mirrored. */
export const maxAddresses = 1_000

const unmirroredAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'endpoints.kubernetes.io/last-change-trigger-time',
])

/** Whether the Endpoints speak for a service without a selector, and nobody asked for them to be left alone (KEP-752). */
export function isMirrored({ metadata }: Endpoints, service: Service | undefined): boolean {
  if (service === undefined || Object.keys(service.spec?.selector ?? {}).length > 0) return false
  if (metadata.deletionTimestamp !== undefined) return false
  if (metadata.labels?.['endpointslice.kubernetes.io/skip-mirror'] === 'true') return false
  return metadata.annotations?.['control-plane.alpha.kubernetes.io/leader'] === undefined
}

export interface MirrorChanges {
  readonly create: readonly New<EndpointSlice>[]
  readonly update: readonly EndpointSlice[]
  readonly delete: readonly EndpointSlice[]
  /** Addresses that found no room. */
  readonly skipped: number
}

interface Mirror {
  readonly addressType: 'IPv4' | 'IPv6'
  readonly ports: readonly EndpointPort[]
  readonly endpoints: Endpoint[]
}

/** One slice for the addresses of one family on the same ports. */
export function decideMirror(endpoints: Endpoints, existing: readonly EndpointSlice[]): MirrorChanges {
  const { mirrors, skipped } = mirrorsOf(endpoints)
  const unused = new Set(existing)
  const create: New<EndpointSlice>[] = []
  const update: EndpointSlice[] = []
  for (const { addressType, ports, endpoints: mirrored } of mirrors) {
    const wanted = { ...partsFor(endpoints), addressType, ports, endpoints: mirrored }
    const found = [...unused].find(
      (slice) => slice.addressType === addressType && portsKey(slice.ports) === portsKey(ports),
    )
    if (found === undefined) {
      create.push(wanted)
      continue
    }
    unused.delete(found)
    const { labels, annotations, ownerReferences } = wanted.metadata
    const isSame =
      isDeepStrictEqual(found.endpoints ?? [], mirrored) &&
      isDeepStrictEqual(found.metadata.labels ?? {}, labels) &&
      isDeepStrictEqual(found.metadata.annotations ?? {}, annotations)
    if (!isSame) {
      const metadata = { ...found.metadata, labels, annotations, ownerReferences }
      update.push({ ...found, metadata, endpoints: mirrored })
    }
  }
  return { create, update, delete: [...unused], skipped }
}

function mirrorsOf({ subsets = [] }: Endpoints): { mirrors: readonly Mirror[]; skipped: number } {
  const mirrors = new Map<string, Mirror>()
  let skipped = 0
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(portOf)
    const all = addressesOf(subset)
    skipped += Math.max(0, all.length - maxAddresses)
    for (const { address, ready } of all.slice(0, maxAddresses)) {
      const addressType = isIPv6(address.ip) ? 'IPv6' : 'IPv4'
      const key = `${addressType} ${portsKey(ports)}`
      const mirror = mirrors.get(key) ?? { addressType, ports, endpoints: [] }
      mirrors.set(key, mirror)
      mirror.endpoints.push(endpointOf(address, ready))
    }
  }
  return { mirrors: [...mirrors.values()], skipped }
}

/** Ready addresses first: they are the last to be left out. */
function addressesOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset) {
  return [
    ...addresses.map((address) => ({ address, ready: true })),
    ...notReadyAddresses.map((address) => ({ address, ready: false })),
  ]
}

function portOf({
  name = '',
  port,
  protocol = 'TCP',
  appProtocol,
}: NonNullable<EndpointSubset['ports']>[number]): EndpointPort {
  return { name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) }
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname !== undefined && hostname !== '' && { hostname }),
    ...(nodeName !== undefined && { nodeName }),
    ...(targetRef !== undefined && { targetRef }),
  }
}

function partsFor(endpoints: Endpoints) {
  const { name, namespace, labels = {}, annotations = {} } = endpoints.metadata
  const kept = Object.entries(annotations).filter(([key]) => !unmirroredAnnotations.has(key))
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirrorName },
      annotations: Object.fromEntries(kept),
      ownerReferences: [controllerReference(endpoints)],
    },
  }
}
