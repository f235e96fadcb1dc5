import { addressBits, plainAddress } from './ip-text.ts'
import { invalidValue } from './field-errors.ts'
import type { FieldError } from './status.ts'

/** An address at which something can be reached from elsewhere. */
export function validateEndpointIp(ip: string, path: string): FieldError[] {
  const address = plainAddress(ip)
  if (address === undefined) return [invalidValue(path, ip, 'must be a valid IP address')]
  const kind = kindOf(addressBits(address))
  return kind === undefined
    ? []
    : [invalidValue(path, ip, kind === 'unspecified' ? `may not be unspecified (${ip})` : kind)]
}

const loopback = 'may not be in the loopback range (127.0.0.0/8, ::1/128)'
const linkLocal = 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'
const multicast = 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'

function kindOf(given: string): string | undefined {
  const mapped = given.length === 128 && given.startsWith('0'.repeat(80) + '1'.repeat(16))
  const bits = mapped ? given.slice(96) : given
  if (!bits.includes('1')) return 'unspecified'
  if (bits.length === 32) {
    const value = Number.parseInt(bits, 2)
    if (value >>> 24 === 127) return loopback
    if (value >>> 16 === 0xa9_fe) return linkLocal
    return value >>> 8 === 0xe0_00_00 ? multicast : undefined
  }
  if (bits === '1'.padStart(128, '0')) return loopback
  if (bits.startsWith('1111111010')) return linkLocal
  return bits.startsWith('11111111') && bits.slice(12, 16) === '0010' ? multicast : undefined
}
