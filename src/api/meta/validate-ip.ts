import { ipFamily } from '#lib/ip-family.ts'
import { invalidValue } from './field-errors.ts'
import type { FieldError } from './status.ts'

/** An address of either family. */
export function validateIp(ip: string, path: string): FieldError[] {
  return ipFamily(ip) === undefined
    ? [invalidValue(path, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
    : []
}

/** `address/prefix length` of either family. */
export function validateCidr(cidr: string, path: string): FieldError[] {
  const [address = '', length = '', ...rest] = cidr.split('/')
  const family = ipFamily(address)
  const fits = family !== undefined && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128)
  if (fits && rest.length === 0) return []
  return [invalidValue(path, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
}
