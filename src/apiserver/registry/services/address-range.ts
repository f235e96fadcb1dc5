import { Address4, Address6 } from 'ip-address'

/** The addresses of one service CIDR that may be handed out: all but the network's own and, for IPv4, the broadcast one. */
export class AddressRange {
  readonly family: 'IPv4' | 'IPv6'
  readonly cidr: string
  readonly size: number
  readonly #first: bigint
  /** Addresses from here on are handed out first; those below are for services that name their own (KEP-3070). */
  readonly dynamicStart: number

  /** Throws an Error if the text is no CIDR. */
  constructor(cidr: string) {
    const isV6 = cidr.includes(':')
    const network = isV6 ? new Address6(cidr) : new Address4(cidr)
    this.cidr = cidr
    this.family = isV6 ? 'IPv6' : 'IPv4'
    const first = network.startAddress().bigInt()
    const last = network.endAddress().bigInt()
    this.#first = first + 1n
    const usable = last - first - (isV6 ? 0n : 1n)
    this.size = Number(usable > largestRange ? largestRange : usable)
    this.dynamicStart = staticBand(this.size)
  }

  at(offset: number): string {
    const value = this.#first + BigInt(offset)
    return this.family === 'IPv4' ? Address4.fromBigInt(value).correctForm() : Address6.fromBigInt(value).correctForm()
  }

  /** The address as it is compared, or undefined if it is none of this range. */
  canonical(address: string): string | undefined {
    if (address.includes(':') !== (this.family === 'IPv6')) return undefined
    try {
      const parsed = this.family === 'IPv4' ? new Address4(address) : new Address6(address)
      const offset = parsed.bigInt() - this.#first
      return offset >= 0n && offset < BigInt(this.size) ? parsed.correctForm() : undefined
    } catch {
      return undefined
    }
  }
}

/** Upstream uses no more of an IPv6 range either. */
const largestRange = 1n << 30n

/** Between 16 and 256 addresses, a sixteenth of the range; none of a tiny one. */
export function staticBand(size: number): number {
  if (size < 16) return 0
  return Math.min(Math.max(16, Math.floor(size / 16)), 256)
}
