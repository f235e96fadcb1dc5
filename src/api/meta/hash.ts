/** The characters Kubernetes builds generated names of: no vowels, so no words; no look-alikes. */
const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * A stable short hash of any JSON value, in the safe alphabet: `pod-template-hash`, `controller-revision-hash`. Equal
 * values hash alike whatever the order of their keys. `collisionCount` gives another hash for the same value.
 */
export function stableHash(value: unknown, collisionCount?: number): string {
  const salt = collisionCount === undefined ? '' : `#${collisionCount}`
  let rest = fnv64(canonicalText(value) + salt)
  let text = ''
  for (let index = 0; index < 10; index++) {
    text += safeAlphabet[Number(rest % 27n)]
    rest /= 27n
  }
  return text
}

/** JSON with sorted keys, without undefined members. */
function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  members.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalText(member)}`).join(',')}}`
}

/** FNV-1a over UTF-8, as two 32-bit halves multiplied in doubles: BigInt per byte would be slow. */
function fnv64(text: string): bigint {
  let high = 0xcbf29ce4
  let low = 0x84222325
  for (const byte of Buffer.from(text)) {
    low = (low ^ byte) >>> 0
    const product = low * 0x1b3
    high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 0x1_0000_0000)) >>> 0
    low = product >>> 0
  }
  return (BigInt(high) << 32n) | BigInt(low)
}
