import { BlockList } from 'node:net'
import { ipFamily } from '#lib/ip-family.ts'
import type { ServiceCIDR } from '#api/types/networking.v1.ts'

export const serviceCidrFinalizer = 'networking.k8s.io/service-cidr-finalizer'

/** What becomes of a range of service addresses (KEP-1880): it goes once no address of it alone is in use. */
export type ServiceCidrState = 'ready' | 'in-use' | 'free'

/** `others` are the remaining ranges; an address that one of them has, too, does not hold this one back. */
export function decideServiceCidr(
  range: ServiceCIDR,
  others: readonly ServiceCIDR[],
  addresses: readonly string[],
): ServiceCidrState {
  if (range.metadata.deletionTimestamp === undefined) return 'ready'
  const own = blocksOf([range])
  const rest = blocksOf(others.filter(({ metadata }) => metadata.deletionTimestamp === undefined))
  return addresses.some((address) => has(own, address) && !has(rest, address)) ? 'in-use' : 'free'
}

function blocksOf(ranges: readonly ServiceCIDR[]): BlockList {
  const blocks = new BlockList()
  for (const cidr of ranges.flatMap(({ spec }) => spec.cidrs ?? [])) {
    const [address = '', prefix] = cidr.split('/')
    blocks.addSubnet(address, Number(prefix), ipFamily(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return blocks
}

function has(blocks: BlockList, address: string): boolean {
  const family = ipFamily(address)
  return family !== undefined && blocks.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
