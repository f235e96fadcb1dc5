import { isDeepStrictEqual } from 'node:util'
import { controllerReference } from '#api/meta/owner.ts'
import type { New } from '#api/meta/resource.ts'
import type { Service } from '#api/types/core.v1.ts'
import type { Endpoint, EndpointSlice } from '#api/types/discovery.v1.ts'
import { isHeadless } from '../service-pods.ts'
import { addressTypesOf, portsKey, type AddressType, type PortGroup } from './endpoints-of-service.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const managerName = 'endpointslice-controller.k8s.io'
const headlessLabel = 'service.kubernetes.io/headless'

/** Most endpoints in one slice; it bounds what one pod's change makes every watcher read. */
const maxEndpoints = 100

export interface SliceChanges {
  readonly create: readonly New<EndpointSlice>[]
  readonly update: readonly EndpointSlice[]
  readonly delete: readonly EndpointSlice[]
}

interface Filling {
  readonly slice: EndpointSlice
  endpoints: readonly Endpoint[]
}

/**
 * Lays the endpoints out over slices with as few writes as possible. Worked example, with room for 3 a slice:
 *
 *     slices  [a b c] [d e]      wanted  a c d e f g
 *     b goes                     [a c] [d e]
 *     f, g fill changed slices first, then those with room:   [a c f] [d e g]
 *
 * A service without endpoints keeps one empty slice per address family, so that its clients know that there are none.
 */
export function decideSlices(
  service: Service,
  groups: readonly PortGroup[],
  existing: readonly EndpointSlice[],
): SliceChanges {
  const create: New<EndpointSlice>[] = []
  const update: EndpointSlice[] = []
  const unused = new Set(existing)
  for (const group of groups) {
    const fillings = existing
      .filter((slice) => slice.addressType === group.addressType && portsKey(slice.ports) === portsKey(group.ports))
      .map((slice): Filling => ({ slice, endpoints: [] }))
    const left = fill(fillings, group.endpoints)
    for (const { slice, endpoints } of fillings) {
      if (endpoints.length === 0) continue
      unused.delete(slice)
      const next = updated(service, slice, endpoints)
      if (next !== undefined) update.push(next)
    }
    for (let from = 0; from < left.length; from += maxEndpoints) {
      create.push(newSlice(service, group, left.slice(from, from + maxEndpoints)))
    }
  }
  for (const addressType of addressTypesOf(service)) {
    if (groups.some((group) => group.addressType === addressType)) continue
    keepPlaceholder(service, addressType, { create, update, unused })
  }
  return { create, update, delete: [...unused] }
}

/** Leaves what a slice has where it is, puts new endpoints into changed slices, then into the fullest that has room. */
function fill(fillings: readonly Filling[], wanted: readonly Endpoint[]): readonly Endpoint[] {
  const missing = new Map(wanted.map((endpoint) => [endpointKey(endpoint), endpoint]))
  for (const filling of fillings) {
    const kept = filling.slice.endpoints?.flatMap((endpoint) => {
      const key = endpointKey(endpoint)
      const next = missing.get(key)
      missing.delete(key)
      return next === undefined ? [] : [next]
    })
    filling.endpoints = kept ?? []
  }
  const left = [...missing.values()]
  const byPreference = fillings.toSorted((a, b) => {
    return Number(isChanged(b)) - Number(isChanged(a)) || b.endpoints.length - a.endpoints.length
  })
  for (const filling of byPreference) {
    const taken = left.splice(0, Math.max(0, maxEndpoints - filling.endpoints.length))
    if (taken.length > 0) filling.endpoints = [...filling.endpoints, ...taken]
  }
  return left
}

function isChanged({ slice, endpoints }: Filling): boolean {
  return !isDeepStrictEqual(slice.endpoints ?? [], endpoints)
}

/** One pod at its addresses; what else is said of it may change. */
function endpointKey({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses.join()}`
}

function keepPlaceholder(
  service: Service,
  addressType: AddressType,
  { create, update, unused }: { create: New<EndpointSlice>[]; update: EndpointSlice[]; unused: Set<EndpointSlice> },
): void {
  const kept = [...unused].find((slice) => slice.addressType === addressType)
  if (kept === undefined) {
    create.push(newSlice(service, { addressType, ports: [], endpoints: [] }, []))
    return
  }
  unused.delete(kept)
  const next = updated(service, { ...kept, ports: [] }, [])
  if (next !== undefined || (kept.ports ?? []).length > 0) update.push(next ?? { ...kept, ports: [] })
}

/** The slice with new content, or undefined if it has that already. */
function updated(service: Service, slice: EndpointSlice, endpoints: readonly Endpoint[]): EndpointSlice | undefined {
  const labels = labelsFor(service)
  const ownerReferences = [controllerReference(service)]
  const { metadata } = slice
  const isSame =
    isDeepStrictEqual(slice.endpoints ?? [], endpoints) &&
    isDeepStrictEqual(metadata.labels ?? {}, labels) &&
    isDeepStrictEqual(metadata.ownerReferences ?? [], ownerReferences)
  return isSame ? undefined : { ...slice, metadata: { ...metadata, labels, ownerReferences }, endpoints }
}

function newSlice(
  service: Service,
  { addressType, ports }: PortGroup,
  endpoints: readonly Endpoint[],
): New<EndpointSlice> {
  const { name, namespace } = service.metadata
  return {
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: labelsFor(service),
      ownerReferences: [controllerReference(service)],
    },
    addressType,
    ports,
    endpoints,
  }
}

/** The service's labels, and those by which slices are found; a service cannot override the latter. */
function labelsFor(service: Service): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels }
  delete labels[headlessLabel]
  if (isHeadless(service)) labels[headlessLabel] = ''
  return { ...labels, [serviceNameLabel]: service.metadata.name, [managedByLabel]: managerName }
}
