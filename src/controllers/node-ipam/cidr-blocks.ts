import { isIP } from 'node:net'

/** Equal blocks that a range of addresses is cut into, counted from 0. */
export interface CidrBlocks {
  readonly count: number
  /** `10.244.3.0/24` for block 3 of `10.244.0.0/16` with 24 bits. */
  block(index: number): string
  /** The block's index, or undefined for a CIDR that is none of them. */
  indexOf(cidr: string): number | undefined
}

/** Cuts a CIDR into blocks of `prefixLength` bits. Throws RangeError for a malformed CIDR or a prefix that does not fit. */
export function cidrBlocks(cidr: string, prefixLength: number): CidrBlocks {
  const [address = '', bits = ''] = cidr.split('/')
  const family = isIP(address)
  const width = family === 6 ? 128 : 32
  const prefix = bits === '' ? Number.NaN : Number(bits)
  if (family === 0 || !Number.isInteger(prefix) || prefix > prefixLength || prefixLength > width) {
    throw new RangeError(`The range ${cidr} cannot be cut into blocks of ${prefixLength} bits`)
  }
  const step = 1n << BigInt(width - prefixLength)
  const start = (toNumber(address, family) >> BigInt(width - prefix)) << BigInt(width - prefix)
  const count = 2 ** Math.min(prefixLength - prefix, 24)
  return {
    count,
    block: (index) => `${toText(start + BigInt(index) * step, family)}/${prefixLength}`,
    indexOf(block) {
      const [first = '', length] = block.split('/')
      if (isIP(first) !== family || Number(length) !== prefixLength) return undefined
      const index = Number((toNumber(first, family) - start) / step)
      return index >= 0 && index < count ? index : undefined
    },
  }
}

function toNumber(address: string, family: number): bigint {
  if (family === 4) return address.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  return groupsOf(address).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
}

/** The eight groups of an IPv6 address, its `::` filled in. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const parse = (text: string | undefined): number[] =>
    text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []
  const front = parse(head)
  const back = parse(tail)
  return [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back]
}

function toText(value: bigint, family: number): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16))
  return shortest(groups.join(':'))
}

/** RFC 5952: the longest run of zero groups becomes `::`. */
function shortest(address: string): string {
  const runs = [...address.matchAll(/\b0(:0)+\b/g)].map(([run]) => run)
  const longest = runs.toSorted((a, b) => b.length - a.length)[0]
  if (longest === undefined) return address
  return address
    .replace(longest, ':')
    .replace(/^:(?!:)/, '::')
    .replace(/(?<!:):$/, '::')
    .replace(/:{3,}/, '::')
}
