import { isIP } from 'node:net'
import { bitString, boolean, context, integer, objectIdentifier, octetString, sequence } from './der.ts'

/** What a leaf certificate is for; `client` and `server` become extended key usages. */
export interface AlternativeNames {
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
}

/** Key usages in the bit order of RFC 5280, section 4.2.1.3. */
const keyUsageBits = {
  digitalSignature: 0,
  contentCommitment: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  certSign: 5,
  crlSign: 6,
} as const
export type KeyUsage = keyof typeof keyUsageBits

const extendedUsageIds = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const
export type ExtendedKeyUsage = keyof typeof extendedUsageIds

export const extensionIds = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value))
}

export function basicConstraints(isCa: boolean): Buffer {
  return extension(extensionIds.basicConstraints, true, isCa ? sequence(boolean(true)) : sequence())
}

export function keyUsage(usages: readonly KeyUsage[]): Buffer {
  const highest = Math.max(...usages.map((usage) => keyUsageBits[usage]))
  const byte = usages.reduce((bits, usage) => bits | (0x80 >> keyUsageBits[usage]), 0)
  return extension(extensionIds.keyUsage, true, bitString(Buffer.from([byte]), 7 - highest))
}

export function extendedKeyUsage(usages: readonly ExtendedKeyUsage[]): Buffer {
  const ids = usages.map((usage) => objectIdentifier(extendedUsageIds[usage]))
  return extension(extensionIds.extendedKeyUsage, false, sequence(...ids))
}

export function subjectKeyId(keyId: Buffer): Buffer {
  return extension(extensionIds.subjectKeyId, false, octetString(keyId))
}

export function authorityKeyId(keyId: Buffer): Buffer {
  return extension(extensionIds.authorityKeyId, false, sequence(context(0, false, keyId)))
}

export function alternativeNames(names: AlternativeNames): Buffer {
  const dns = (names.dnsNames ?? []).map((name) => context(2, false, Buffer.from(name, 'latin1')))
  const addresses = (names.ipAddresses ?? []).map((address) => context(7, false, addressBytes(address)))
  return extension(extensionIds.alternativeNames, false, sequence(...dns, ...addresses))
}

/** Network-order bytes of an IPv4 or IPv6 address. Throws RangeError for anything else. */
export function addressBytes(address: string): Buffer {
  const family = isIP(address)
  if (family === 4) return Buffer.from(address.split('.').map(Number))
  if (family === 0 || address.includes('%')) throw new RangeError(`Cannot encode "${address}": not an IP address`)
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const text = embedded
    ? `${embedded[1]}${hexPair(embedded[2], embedded[3])}:${hexPair(embedded[4], embedded[5])}`
    : address
  const [head = '', tail] = text.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(parseInt(group, 16), index * 2)
  return bytes
}

function hexPair(high: string | undefined, low: string | undefined): string {
  return (Number(high) * 256 + Number(low)).toString(16)
}

/** A serial number: 16 random bytes, positive. */
export function serialNumber(bytes: Uint8Array): Buffer {
  const serial = Buffer.from(bytes)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  return integer(serial)
}
