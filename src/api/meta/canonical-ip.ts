import { ipFamily } from '#lib/ip-family.ts'

/** A valid address in the form in which addresses are compared: lower case, without zeros that mean nothing (RFC 5952). */
export function canonicalIp(address: string): string {
  if (ipFamily(address) !== 6) return address
  return new URL(`http://[${address}]/`).hostname.slice(1, -1)
}
