import { ipFamily } from '#lib/ip-family.ts'
import { addressBits, canonicalAddress, isMappedAddress, plainAddress } from './ip-text.ts'
import { invalidValue } from './field-errors.ts'
import type { FieldError } from './status.ts'

/**
 * An address of either family in its strict form. Values that the object had before (`known`) stay valid: older servers
 * took leading zeros and IPv4 addresses written as IPv6.
 */
export function validateIp(ip: string, path: string, known: readonly string[] = []): FieldError[] {
  if (known.includes(ip)) return []
  if (plainAddress(ip) === undefined) {
    return [invalidValue(path, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
  }
  if (ipFamily(ip) === undefined) return [invalidValue(path, ip, 'must not have leading 0s')]
  return isMappedAddress(ip) ? [invalidValue(path, ip, 'must not be an IPv4-mapped IPv6 address')] : []
}

/** `address/prefix length` of either family, naming a network and nothing inside it. */
export function validateCidr(cidr: string, path: string, known: readonly string[] = []): FieldError[] {
  if (known.includes(cidr)) return []
  const network = plainCidr(cidr)
  if (network === undefined) {
    return [invalidValue(path, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
  }
  if (network !== cidr) return [invalidValue(path, cidr, 'must not have leading 0s in IP or prefix length')]
  if (isMappedAddress(cidr.split('/')[0] ?? '')) {
    return [invalidValue(path, cidr, 'must not have an IPv4-mapped IPv6 address')]
  }
  return hasHostBits(cidr) ? [invalidValue(path, cidr, 'must not have bits set beyond the prefix length')] : []
}

/** The CIDR without leading zeros; undefined if it is none. */
function plainCidr(cidr: string): string | undefined {
  const [text = '', length = '', ...rest] = cidr.split('/')
  const address = plainAddress(text)
  if (address === undefined || rest.length > 0 || !/^\d+$/.test(length)) return undefined
  const most = ipFamily(address) === 4 ? 32 : 128
  return Number(length) <= most ? `${address}/${Number(length)}` : undefined
}

/** `address/prefix length` of an interface: the address with the size of the network that it is in. */
export function validateInterfaceAddress(text: string, path: string): FieldError[] {
  const plain = plainCidr(text)
  if (plain === undefined) {
    const examples = '(e.g. 10.9.8.7/24 or 2001:db8::1/64)'
    return [invalidValue(path, text, `must be a valid address in CIDR form, ${examples}`)]
  }
  const [address = '', length = ''] = plain.split('/')
  const canonical = `${canonicalAddress(address)}/${length}`
  return canonical === text ? [] : [invalidValue(path, text, `must be in canonical form ("${canonical}")`)]
}

/** Whether a valid CIDR names an address inside its network instead of the network. */
export function hasHostBits(cidr: string): boolean {
  const [address = '', length = '0'] = cidr.split('/')
  return addressBits(address).slice(Number(length)).includes('1')
}

/** Whether all addresses of one valid CIDR are addresses of the other, which has more. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [address = '', length = '0'] = inner.split('/')
  const [network = '', bits = '0'] = outer.split('/')
  if (ipFamily(address) !== ipFamily(network) || Number(length) <= Number(bits)) return false
  return addressBits(address).startsWith(addressBits(network).slice(0, Number(bits)))
}

/** Sentences for an address that is valid today and would better be written otherwise. */
export function warnAboutIp(ip: string, path: string): readonly string[] {
  const address = plainAddress(ip)
  if (address === undefined) return []
  if (address !== ip || isMappedAddress(ip)) {
    const rule = 'will be considered invalid in a future Kubernetes release'
    return [`${path}: non-standard IP address "${ip}" ${rule}: use "${canonicalAddress(address)}"`]
  }
  const canonical = canonicalAddress(ip)
  if (ipFamily(ip) === 4 || canonical === ip) return []
  return [`${path}: IPv6 address "${ip}" should be in RFC 5952 canonical format ("${canonical}")`]
}

/** The same for a network. */
export function warnAboutCidr(cidr: string, path: string): readonly string[] {
  const network = plainCidr(cidr)
  if (network === undefined) return []
  const [address = '', length = ''] = network.split('/')
  if (network !== cidr || isMappedAddress(address) || hasHostBits(network)) {
    const rule = 'will be considered invalid in a future Kubernetes release'
    const wanted = `${canonicalAddress(withoutHostBits(address, Number(length)))}/${length}`
    return [`${path}: non-standard CIDR value "${cidr}" ${rule}: use "${wanted}"`]
  }
  const canonical = `${canonicalAddress(address)}/${length}`
  if (ipFamily(address) === 4 || canonical === cidr) return []
  return [`${path}: IPv6 CIDR value "${cidr}" should be in RFC 5952 canonical format ("${canonical}")`]
}

function withoutHostBits(address: string, length: number): string {
  const bits = addressBits(address).slice(0, length)
  return addressOfBits(bits.padEnd(ipFamily(address) === 4 ? 32 : 128, '0'))
}

function addressOfBits(bits: string): string {
  const width = bits.length === 32 ? 8 : 16
  const parts = bits.match(new RegExp(`.{${width}}`, 'g')) ?? []
  const numbers = parts.map((part) => Number.parseInt(part, 2))
  return width === 8 ? numbers.join('.') : numbers.map((number) => number.toString(16)).join(':')
}
