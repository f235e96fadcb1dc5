import type { Service } from '#api/types/core.v1.ts'
import type { Endpoint, EndpointSlice } from '#api/types/discovery.v1.ts'
import type { AddressType, PortGroup } from './endpoints-of-service.ts'
import { wantsZoneHints } from './hints.ts'
import type { ZoneShares } from './zone-shares.ts'

/** News about the hints of a service, for its events. */
export interface HintNews {
  readonly type: 'Normal' | 'Warning'
  readonly reason: 'TopologyAwareHintsEnabled' | 'TopologyAwareHintsDisabled'
  readonly message: string
}

export interface Hinted {
  readonly groups: readonly PortGroup[]
  readonly news: readonly HintNews[]
}

/** No zone may get so much more of the load than its share of the processors. */
const overloadThreshold = 0.2

/**
 * Gives the ready endpoints of a service whose topology mode is `Auto` to zones, in proportion to their processors
 * (KEP-2433): each serves its own zone as far as that needs it, and others beyond. An endpoint that was lent stays lent
 * to the same zone. All of one address family have hints, or none.
 */
export function withZoneHints(
  service: Service,
  groups: readonly PortGroup[],
  existing: readonly EndpointSlice[],
  shares: () => ZoneShares | undefined,
): Hinted {
  if (!wantsZoneHints(service)) return { groups, news: [] }
  const known = shares()
  const news: HintNews[] = []
  const byFamily = Map.groupBy(groups, ({ addressType }) => addressType)
  const hinted = [...byFamily].flatMap(([addressType, family]) => {
    const before = hintsOf(existing, addressType)
    const given = give(family, before, known)
    if (typeof given === 'string') {
      const message = `${given}, addressType: ${addressType}`
      news.push({ type: 'Warning', reason: 'TopologyAwareHintsDisabled', message })
      return family
    }
    if (before.size === 0) {
      const message = `Topology Aware Hints has been enabled, addressType: ${addressType}`
      news.push({ type: 'Normal', reason: 'TopologyAwareHintsEnabled', message })
    }
    return family.map((group) => ({ ...group, endpoints: group.endpoints.map((each) => withHint(each, given)) }))
  })
  return { groups: hinted, news }
}

function withHint(endpoint: Endpoint, zones: ReadonlyMap<string, string>): Endpoint {
  const name = zones.get(keyOf(endpoint))
  return name === undefined ? endpoint : { ...endpoint, hints: { forZones: [{ name }] } }
}

const keyOf = ({ targetRef, addresses }: Endpoint): string => `${targetRef?.uid ?? ''} ${addresses.join()}`

/** The zones that endpoints are given to now. */
function hintsOf(slices: readonly EndpointSlice[], addressType: AddressType): ReadonlyMap<string, string> {
  const endpoints = slices
    .filter((slice) => slice.addressType === addressType)
    .flatMap((slice) => slice.endpoints ?? [])
  const zones = endpoints.map((each) => [keyOf(each), each.hints?.forZones?.[0]?.name] as const)
  return new Map(zones.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** The zone of each ready endpoint, or why there are none. */
function give(
  groups: readonly PortGroup[],
  before: ReadonlyMap<string, string>,
  shares: ZoneShares | undefined,
): ReadonlyMap<string, string> | string {
  const ready = groups.flatMap(({ endpoints }) => endpoints).filter(({ conditions }) => conditions?.ready !== false)
  const left = needsOf(shares, ready.length)
  if (typeof left === 'string') return left
  if (ready.some(({ zone }) => !zone)) return 'One or more endpoints do not have a zone specified'
  const given = new Map<string, string>()
  const take = (endpoint: Endpoint, zone: string | undefined): void => {
    const need = zone === undefined ? 0 : (left.get(zone) ?? 0)
    if (zone === undefined || need === 0 || given.has(keyOf(endpoint))) return
    left.set(zone, need - 1)
    given.set(keyOf(endpoint), zone)
  }
  for (const endpoint of ready) take(endpoint, endpoint.zone)
  for (const endpoint of ready) take(endpoint, before.get(keyOf(endpoint)))
  for (const endpoint of ready) take(endpoint, neediest(left))
  return given.size === 0 ? 'No hints allocated for zones' : given
}

function neediest(left: ReadonlyMap<string, number>): string | undefined {
  return [...left].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0]
}

/** How many endpoints each zone is to have: at least what keeps it from overload, the rest where most is missing. */
function needsOf(shares: ZoneShares | undefined, count: number): Map<string, number> | string {
  if (shares === undefined) {
    return 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes'
  }
  if (shares.size < 2) return 'Nodes only ready in one zone'
  if (shares.size > count) return `Insufficient number of endpoints (${count} endpoints, ${shares.size} zones)`
  const least = [...shares].map(
    ([zone, share]) => [zone, Math.ceil((share * count) / (1 + overloadThreshold))] as const,
  )
  const needs = new Map(least)
  let rest = count - least.reduce((sum, [, minimum]) => sum + minimum, 0)
  if (rest < 0) return 'Unable to allocate minimum required endpoints to each zone without exceeding overload threshold'
  for (; rest > 0; rest--) {
    const lacks = [...needs].map(([zone, given]) => [zone, (shares.get(zone) ?? 0) * count - given] as const)
    const zone = neediest(new Map(lacks)) ?? ''
    needs.set(zone, (needs.get(zone) ?? 0) + 1)
  }
  return needs
}
