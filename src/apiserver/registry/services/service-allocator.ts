import { clusterIps } from '#api/core/v1/service-facts.ts'
import type { Service } from '#api/types/core.v1.ts'
import type { ServiceCIDR } from '#api/types/networking.v1.ts'
import { ipAddresses, serviceCIDRs, services } from '#api/types/resources.ts'
import type { Random } from '#lib/random.ts'
import type { ObjectReader } from '../object-reader.ts'
import { AddressRange, staticBand } from './address-range.ts'
import { pickFree } from './pick-free.ts'

export interface ServiceAllocatorOptions {
  readonly reader: ObjectReader
  readonly random: Random
  /** Service CIDRs; the first one's family is the cluster's primary. */
  readonly serviceCidrs: readonly string[]
  /** Inclusive. */
  readonly nodePortRange: { readonly from: number; readonly to: number }
}

/** Why a wanted address or port cannot be had, in upstream's words. */
export class AllocationError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AllocationError'
  }
}

interface InUse {
  readonly addresses: ReadonlySet<string>
  readonly ports: ReadonlySet<string>
}

/**
 * Gives out cluster IPs and node ports. What is taken is read from the stored services and IPAddresses; only writes under
 * way are remembered here until the cache shows them. Another server may pick the same at the same time: the claims
 * written with the service (`serviceClaims`) let one of them try again.
 */
export class ServiceAllocator {
  readonly ranges: readonly AddressRange[]
  readonly #options: ServiceAllocatorOptions
  readonly #pendingAddresses = new Set<string>()
  readonly #pendingPorts = new Set<string>()
  readonly #inUse = new WeakMap<readonly Service[], InUse>()
  readonly #added = new WeakMap<readonly ServiceCIDR[], readonly AddressRange[]>()

  constructor(options: ServiceAllocatorOptions) {
    this.#options = options
    this.ranges = options.serviceCidrs.map((cidr) => new AddressRange(cidr))
  }

  /** Takes a free address of a family, or the wanted one. Throws `AllocationError`. */
  takeAddress(family: string, wanted: string | undefined): string {
    const ranges = this.#ready().filter((range) => range.family === family)
    if (ranges.length === 0) throw new AllocationError(`not configured on this cluster`)
    const { addresses } = this.#current()
    const { reader } = this.#options
    const isTaken = (address: string): boolean =>
      addresses.has(address) || this.#pendingAddresses.has(address) || reader.get(ipAddresses, address) !== undefined
    const address =
      wanted === undefined ? this.#freeAddress(ranges, isTaken) : this.#wantedAddress(ranges, wanted, isTaken)
    this.#pendingAddresses.add(address)
    return address
  }

  /** Takes a free port that no protocol of the wanted ones uses, or the wanted one. Throws `AllocationError`. */
  takePort(protocols: readonly string[], wanted: number | undefined): number {
    const { from, to } = this.#options.nodePortRange
    const { ports } = this.#current()
    const isTaken = (port: number): boolean =>
      protocols.some((protocol) => ports.has(`${port}/${protocol}`) || this.#pendingPorts.has(`${port}/${protocol}`))
    if (wanted !== undefined && (wanted < from || wanted > to)) {
      throw new AllocationError(`provided port is not in the valid range. The range of valid ports is ${from}-${to}`)
    }
    if (wanted !== undefined && isTaken(wanted)) throw new AllocationError('provided port is already allocated')
    const size = to - from + 1
    const slots = { size, dynamicStart: portBand(size), isTaken: (slot: number) => isTaken(from + slot) }
    const port = wanted ?? from + (pickFree(slots, this.#options.random) ?? size)
    if (port > to) throw new AllocationError('range is full')
    for (const protocol of protocols) this.#pendingPorts.add(`${port}/${protocol}`)
    return port
  }

  /** Forgets what was taken for a write that has failed or that the cache shows by now. */
  release(addresses: readonly string[], ports: readonly string[]): void {
    for (const address of addresses) this.#pendingAddresses.delete(address)
    for (const port of ports) this.#pendingPorts.delete(port)
  }

  #freeAddress(ranges: readonly AddressRange[], isTaken: (address: string) => boolean): string {
    for (const range of ranges) {
      const { size, dynamicStart } = range
      const slots = { size, dynamicStart, isTaken: (offset: number) => isTaken(range.at(offset)) }
      const slot = pickFree(slots, this.#options.random)
      if (slot !== undefined) return range.at(slot)
    }
    throw new AllocationError('range is full')
  }

  #wantedAddress(ranges: readonly AddressRange[], wanted: string, isTaken: (address: string) => boolean): string {
    const address = ranges.map((range) => range.canonical(wanted)).find((one) => one !== undefined)
    if (address === undefined) {
      throw new AllocationError(
        `failed to allocate IP ${wanted}: the provided network does not match the current range`,
      )
    }
    if (isTaken(address)) throw new AllocationError(`failed to allocate IP ${wanted}: provided IP is already allocated`)
    return address
  }

  /** The cluster's own ranges, and those that somebody added (KEP-1880). */
  #ready(): readonly AddressRange[] {
    const list = this.#options.reader.list(serviceCIDRs)
    const known = this.#added.get(list)
    if (known !== undefined) return known
    const own = new Set(this.ranges.map(({ cidr }) => cidr))
    const added = list.filter(isReady).flatMap(({ spec }) => spec.cidrs ?? [])
    const all = [...this.ranges, ...added.filter((cidr) => !own.has(cidr)).map((cidr) => new AddressRange(cidr))]
    this.#added.set(list, all)
    return all
  }

  #current(): InUse {
    const list = this.#options.reader.list(services)
    const known = this.#inUse.get(list)
    if (known !== undefined) return known
    const ports = list.flatMap((service) => portKeys(service))
    const inUse = { addresses: new Set(list.flatMap((service) => [...clusterIps(service)])), ports: new Set(ports) }
    this.#inUse.set(list, inUse)
    return inUse
  }
}

function isReady({ metadata, status }: ServiceCIDR): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
}

/** `30080/TCP` of every node port a service holds. */
export function portKeys({ spec }: Service): string[] {
  const keys = (spec.ports ?? []).filter((port) => port.nodePort).map((port) => `${port.nodePort}/${port.protocol}`)
  return spec.healthCheckNodePort ? [...keys, `${spec.healthCheckNodePort}/TCP`] : keys
}

/** As for addresses, but between 16 and 128 and a thirty-second of the range (KEP-3668). */
function portBand(size: number): number {
  return size < 16 ? staticBand(size) : Math.min(Math.max(16, Math.floor(size / 32)), 128)
}
