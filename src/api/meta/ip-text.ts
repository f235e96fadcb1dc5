import { ipFamily } from '#lib/ip-family.ts'

/** Addresses as text: with and without leading zeros, in canonical form, as bits. */

/** The address with leading zeros of its decimal parts dropped; undefined if even so it is none. */
export function plainAddress(text: string): string | undefined {
  if (ipFamily(text) !== undefined) return text
  const plain = text.replace(/(?<=^|[.:])0+(?=\d+(?:\.|$))/g, (zeros, at: number) =>
    isDecimalPart(text, at) ? '' : zeros,
  )
  return ipFamily(plain) === undefined ? undefined : plain
}

/** Whether the part at the position belongs to the dotted end of an address. */
function isDecimalPart(text: string, at: number): boolean {
  return text.lastIndexOf(':') < at && text.includes('.')
}

/** `::ffff:1.2.3.4` */
export function isMappedAddress(address: string): boolean {
  return address.includes(':') && addressBits(address).startsWith('0'.repeat(80) + '1'.repeat(16))
}

/** The form of RFC 5952; an IPv4 address written as IPv6 becomes the IPv4 address. */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address
  const bits = addressBits(address)
  const groups = (bits.match(/.{16}/g) ?? []).map((group) => Number.parseInt(group, 2).toString(16))
  if (isMappedAddress(address))
    return (bits.slice(96).match(/.{8}/g) ?? []).map((part) => Number.parseInt(part, 2)).join('.')
  const longest = longestZeros(groups)
  if (longest === undefined) return groups.join(':')
  return `${groups.slice(0, longest.start).join(':')}::${groups.slice(longest.end).join(':')}`
}

/** The first of the longest runs of two or more groups that are zero. */
function longestZeros(groups: readonly string[]): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === '0') end++
    if (end - start >= 2 && end - start > (best === undefined ? 0 : best.end - best.start)) best = { start, end }
  }
  return best
}

/** The address as text of zeros and ones. */
export function addressBits(address: string): string {
  if (!address.includes(':')) {
    return address
      .split('.')
      .map((part) => binary(Number(part), 8))
      .join('')
  }
  const [head = '', tail] = halvesOf(address)
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  const gap = tail === undefined ? 0 : 8 - first.length - last.length
  const all = [...first, ...Array.from({ length: gap }, () => '0'), ...last]
  return all.map((group) => binary(Number.parseInt(group, 16), 16)).join('')
}

/** The halves around `::`, with a dotted end turned into two groups. */
function halvesOf(address: string): string[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const group = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16)
    return `${group(a, b)}:${group(c, d)}`
  })
  return plain.split('::')
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0')
}
