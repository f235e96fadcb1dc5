import { randomBytes, randomUUID } from 'node:crypto'

/** The one door through which chance enters. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** A version 4 UUID, lower case: object UIDs. */
  uuid(): string
  /** `length` characters of the alphabet that `generateName` uses (no vowels, no look-alikes). */
  suffix(length: number): string
  bytes(length: number): Uint8Array
}

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

function suffixFrom(next: () => number, length: number): string {
  return Array.from({ length }, () => suffixAlphabet[Math.floor(next() * suffixAlphabet.length)]).join('')
}

/** The machine's randomness. */
export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
  suffix: (length) => suffixFrom(Math.random, length),
  bytes: (length) => randomBytes(length),
}

/** Repeatable randomness (mulberry32): for tests and simulation, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(next() * 256))
  const uuid = (): string => {
    const hex = Buffer.from(bytes(16)).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  return { next, uuid, suffix: (length) => suffixFrom(next, length), bytes }
}
