import { ipFamily } from '#lib/ip-family.ts'
import { invalidValue } from './field-errors.ts'
import type { FieldError } from './status.ts'

/** An address of either family. */
export function validateIp(ip: string, path: string): FieldError[] {
  return ipFamily(ip) === undefined
    ? [invalidValue(path, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
    : []
}

/** A valid address that others can send to: none of those with a meaning of their own. */
export function validateEndpointIp(ip: string, path: string): FieldError[] {
  const special = specialRanges.find(([pattern]) => pattern.test(ip))
  return special === undefined ? [] : [invalidValue(path, ip, `may not be ${special[1]}`)]
}

const specialRanges: readonly (readonly [RegExp, string])[] = [
  [/^(?:0\.0\.0\.0|::)$/, 'unspecified (0.0.0.0 or ::)'],
  [/^127\.|^::1$/, 'in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^169\.254\.|^fe[89ab]/i, 'in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^224\.0\.0\.|^ff02:/i, 'in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

/** `address/prefix length` of either family. */
export function validateCidr(cidr: string, path: string): FieldError[] {
  const [address = '', length = '', ...rest] = cidr.split('/')
  const family = ipFamily(address)
  const fits = family !== undefined && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128)
  if (fits && rest.length === 0) return []
  return [invalidValue(path, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
}

/** Whether a valid CIDR names an address inside its network instead of the network. */
export function hasHostBits(cidr: string): boolean {
  const [address = '', length = '0'] = cidr.split('/')
  const bits = addressBits(address)
  return bits.slice(Number(length)).includes('1')
}

/** Whether all addresses of one valid CIDR are addresses of the other, which has more. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [address = '', length = '0'] = inner.split('/')
  const [network = '', bits = '0'] = outer.split('/')
  if (ipFamily(address) !== ipFamily(network) || Number(length) <= Number(bits)) return false
  return addressBits(address).startsWith(addressBits(network).slice(0, Number(bits)))
}

/** The address as text of zeros and ones. */
function addressBits(address: string): string {
  if (!address.includes(':'))
    return address
      .split('.')
      .map((part) => binary(Number(part), 8))
      .join('')
  const [head = '', tail] = groupsOfIpv6(address)
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  const gap = tail === undefined ? 0 : 8 - first.length - last.length
  const all = [...first, ...Array.from({ length: gap }, () => '0'), ...last]
  return all.map((group) => binary(Number.parseInt(group, 16), 16)).join('')
}

/** The halves around `::`, with a dotted end turned into two groups. */
function groupsOfIpv6(address: string): string[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const group = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16)
    return `${group(a, b)}:${group(c, d)}`
  })
  return plain.split('::')
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0')
}
