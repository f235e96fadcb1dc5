import { CelError } from './cel-error.ts'
import { CelDuration, CelTimestamp } from './values.ts'

const nanosOf: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
}

/** Reads `1h30m`, `-1.5s`. Throws `CelError`. */
export function parseDuration(text: string): CelDuration {
  const whole = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|ns))+|0)$/.exec(text)
  if (whole === null) throw new CelError(`time: invalid duration ${JSON.stringify(text)}`)
  let nanos = 0n
  for (const [, amount = '0', unit = 's'] of (whole[2] ?? '').matchAll(/(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)/g)) {
    const [integer = '', fraction = ''] = amount.split('.')
    const size = nanosOf[unit] ?? 1n
    nanos += BigInt(integer || '0') * size
    if (fraction !== '') nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
  }
  return new CelDuration(whole[1] === '-' ? -nanos : nanos)
}

/** Reads an RFC 3339 time. Throws `CelError`. */
export function parseTimestamp(text: string): CelTimestamp {
  const parts = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  const timeMs = parts === null ? Number.NaN : Date.parse(`${parts[1]}${parts[3]}`)
  if (Number.isNaN(timeMs)) throw new CelError(`parsing time ${JSON.stringify(text)}: cannot parse as RFC 3339`)
  return new CelTimestamp(BigInt(timeMs) * 1_000_000n + BigInt((parts?.[2] ?? '').padEnd(9, '0')))
}
