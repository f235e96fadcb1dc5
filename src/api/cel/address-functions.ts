import { CelError } from '#lib/cel/cel-error.ts'
import type { CelFunctions } from '#lib/cel/cel-function.ts'
import { CelOpaque, type CelValue } from '#lib/cel/values.ts'
import { ipFamily } from '#lib/ip-family.ts'

const ipType = 'net.IP'
const cidrType = 'net.CIDR'

interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

interface Block extends Address {
  readonly prefix: number
}

function readAddress(text: string): Address | undefined {
  const family = ipFamily(text)
  if (family === 4) {
    const bits = text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
    return { family, bits }
  }
  if (family !== 6 || text.includes('.')) return undefined
  const [head = '', tail] = text.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const middle = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => '0')
  return { family, bits: [...left, ...middle, ...right].reduce((sum, part) => (sum << 16n) + BigInt(`0x${part}`), 0n) }
}

function readBlock(text: string): Block | undefined {
  const [host = '', length = '', ...more] = text.split('/')
  const address = readAddress(host)
  if (address === undefined || more.length > 0 || !/^(0|[1-9]\d?\d?)$/.test(length)) return undefined
  const prefix = Number(length)
  return prefix <= sizeOf(address) ? { ...address, prefix } : undefined
}

function sizeOf({ family }: Address): number {
  return family === 4 ? 32 : 128
}

function write({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((bits >> BigInt(112 - at * 16)) & 0xffffn).toString(16)).join(
    ':',
  )
  const runs = [...groups.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run)
  const longest = runs.sort((a, b) => b.length - a.length)[0]
  if (longest === undefined) return groups
  return groups.replace(longest, '::').replace(/:{3,}/, '::')
}

const ip = (data: Address): CelOpaque =>
  new CelOpaque(
    ipType,
    data,
    (other) => (other as Address).bits === data.bits && (other as Address).family === data.family,
  )

const cidr = (data: Block): CelOpaque =>
  new CelOpaque(cidrType, data, (other) => {
    const block = other as Block
    return block.bits === data.bits && block.family === data.family && block.prefix === data.prefix
  })

function addressOf(value: CelValue | undefined): Address {
  if (value instanceof CelOpaque && value.type === ipType) return value.data as Address
  throw new CelError('no such overload')
}

function blockOf(value: CelValue | undefined): Block {
  if (value instanceof CelOpaque && value.type === cidrType) return value.data as Block
  throw new CelError('no such overload')
}

function parseAddress(text: string): Address {
  const address = readAddress(text)
  if (address === undefined)
    throw new CelError(`IP Address ${JSON.stringify(text)} parse error during conversion from string`)
  return address
}

function parseBlock(text: string): Block {
  const block = readBlock(text)
  if (block === undefined)
    throw new CelError(`network address parse error during conversion from string: ${JSON.stringify(text)}`)
  return block
}

function networkOf({ family, bits, prefix }: Block): bigint {
  const rest = BigInt((family === 4 ? 32 : 128) - prefix)
  return (bits >> rest) << rest
}

function isInside(block: Block, address: Address): boolean {
  return block.family === address.family && networkOf({ ...address, prefix: block.prefix }) === networkOf(block)
}

const isIn = (address: Address, range: string): boolean => isInside(parseBlock(range), address)

function isLinkLocal(address: Address, last: string): boolean {
  return address.family === 4
    ? isIn(address, last === 'unicast' ? '169.254.0.0/16' : '224.0.0.0/24')
    : isIn(address, last === 'unicast' ? 'fe80::/10' : 'ff02::/16')
}

function isLoopback(address: Address): boolean {
  return address.family === 4 ? isIn(address, '127.0.0.0/8') : address.bits === 1n
}

/** `ip("10.0.0.1").family()`, `cidr("10.0.0.0/8").containsIP("10.0.0.1")`. */
export const addressFunctions: CelFunctions = {
  ip: ([value]) => {
    if (typeof value === 'string') return ip(parseAddress(value))
    const block = blockOf(value)
    return ip({ family: block.family, bits: block.bits })
  },
  isIP: ([text]) => typeof text === 'string' && readAddress(text) !== undefined,
  'ip.isCanonical': ([text]) => typeof text === 'string' && write(parseAddress(text)) === text,
  family: ([value]) => BigInt(addressOf(value).family),
  isUnspecified: ([value]) => addressOf(value).bits === 0n,
  isLoopback: ([value]) => isLoopback(addressOf(value)),
  isLinkLocalUnicast: ([value]) => isLinkLocal(addressOf(value), 'unicast'),
  isLinkLocalMulticast: ([value]) => isLinkLocal(addressOf(value), 'multicast'),
  isGlobalUnicast: ([value]) => {
    const address = addressOf(value)
    const isMulticast = isIn(address, address.family === 4 ? '224.0.0.0/4' : 'ff00::/8')
    const isBroadcast = address.family === 4 && address.bits === 0xffff_ffffn
    return (
      address.bits !== 0n && !isMulticast && !isBroadcast && !isLoopback(address) && !isLinkLocal(address, 'unicast')
    )
  },
  cidr: ([text]) => {
    if (typeof text !== 'string') throw new CelError('no such overload')
    return cidr(parseBlock(text))
  },
  isCIDR: ([text]) => typeof text === 'string' && readBlock(text) !== undefined,
  containsIP: ([block, value]) =>
    isInside(blockOf(block), typeof value === 'string' ? parseAddress(value) : addressOf(value)),
  containsCIDR: ([block, value]) => {
    const outer = blockOf(block)
    const inner = typeof value === 'string' ? parseBlock(value) : blockOf(value)
    return inner.prefix >= outer.prefix && isInside(outer, inner)
  },
  prefixLength: ([block]) => BigInt(blockOf(block).prefix),
  masked: ([block]) => cidr({ ...blockOf(block), bits: networkOf(blockOf(block)) }),
  string: ([value]) => {
    if (!(value instanceof CelOpaque)) throw new CelError('no such overload')
    if (value.type === ipType) return write(value.data as Address)
    if (value.type === cidrType) return `${write(value.data as Block)}/${(value.data as Block).prefix}`
    throw new CelError('no such overload')
  },
}
