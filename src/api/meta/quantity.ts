/**
 * Kubernetes quantities (`100m`, `1.5Gi`, `2e3`): a fixed-point number with nine decimal places and the family of
 * suffixes it is written with. Values finer than a nano unit are rounded away from zero, as the API reference says.
 */

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

export interface Quantity {
  /** The value times 10⁹. */
  readonly nanos: bigint
  readonly format: QuantityFormat
}

/** The text is no quantity. The message is the one the API server answers with. */
class QuantityError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'QuantityError'
  }
}

const wrongFormat = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const wrongNumber = 'unable to parse numeric part of quantity'
const wrongSuffix = "unable to parse quantity's suffix"

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const decimalSuffixes = new Map(Object.entries(decimalExponents).map(([suffix, exponent]) => [exponent, suffix]))
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

const nano = 1_000_000_000n
/** Longer numbers and larger exponents are refused rather than computed: they are mistakes or attacks. */
const maxDigits = 300
const maxExponent = 300
/** Quantities with a binary suffix are capped at the largest int64. */
const binaryCap = (2n ** 63n - 1n) * nano

const grammar = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/

/** Reads a quantity, given as text or as a JSON number. Throws `QuantityError`. */
export function parseQuantity(input: string | number): Quantity {
  const text = String(input)
  const match = grammar.exec(text)
  if (match === null) throw new QuantityError(wrongFormat)
  const [, sign, whole = '', fraction = '', suffix = ''] = match
  const { base, exponent, format } = readSuffix(suffix)
  if (whole === '' && fraction === '') throw new QuantityError(text === '' ? wrongFormat : wrongNumber)
  if (whole.length + fraction.length > maxDigits) throw new QuantityError(wrongNumber)
  const size = scaleToNanos(BigInt(whole + fraction), base, exponent, fraction.length)
  return settleFormat(sign === '-' ? -size : size, format)
}

function readSuffix(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  const decimal = decimalExponents[suffix]
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: 'DecimalSI' }
  const binary = binaryExponents[suffix]
  if (binary !== undefined) return { base: 2, exponent: binary, format: 'BinarySI' }
  if (!/^[eE][+-]?\d+$/.test(suffix)) throw new QuantityError(wrongSuffix)
  const exponent = Number(suffix.slice(1))
  if (exponent > maxExponent) throw new QuantityError(wrongNumber)
  return { base: 10, exponent: Math.max(exponent, -2 * maxExponent), format: 'DecimalExponent' }
}

/** The magnitude `digits · 10^-places · base^exponent` in nano units, rounded up. */
function scaleToNanos(digits: bigint, base: 2 | 10, exponent: number, places: number): bigint {
  if (base === 2) return divideUp((digits << BigInt(exponent)) * nano, 10n ** BigInt(places))
  const power = exponent - places + 9
  return power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power))
}

function settleFormat(nanos: bigint, format: QuantityFormat): Quantity {
  if (format !== 'BinarySI') return { nanos, format }
  if (nanos > binaryCap) return { nanos: binaryCap, format }
  if (nanos < -binaryCap) return { nanos: -binaryCap, format }
  const belowOne = nanos !== 0n && nanos > -nano && nanos < nano
  return { nanos, format: belowOne ? 'DecimalSI' : format }
}

/** Writes the canonical form: no fraction, the largest suffix that loses nothing. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0'
  if (format === 'BinarySI' && (nanos >= 1024n * nano || nanos <= -1024n * nano) && nanos % nano === 0n) {
    return formatBinary(nanos / nano)
  }
  return formatDecimal(nanos, format === 'DecimalExponent')
}

function formatBinary(value: bigint): string {
  let mantissa = value
  let power = 0
  while (power < 6 && mantissa % 1024n === 0n) {
    mantissa /= 1024n
    power++
  }
  return `${mantissa}${binarySuffixes[power] ?? ''}`
}

function formatDecimal(nanos: bigint, withExponent: boolean): string {
  let mantissa = nanos
  let exponent = -9
  while (mantissa % 1000n === 0n && (withExponent || exponent < 18)) {
    mantissa /= 1000n
    exponent += 3
  }
  if (!withExponent) return `${mantissa}${decimalSuffixes.get(exponent) ?? ''}`
  return exponent === 0 ? `${mantissa}` : `${mantissa}e${exponent}`
}

/** The canonical form of a quantity; the same string when it is canonical already. Throws `QuantityError`. */
export function canonicalQuantity(input: string | number): string {
  if (typeof input === 'string' && isCanonicalSmall(input)) return input
  return formatQuantity(parseQuantity(input))
}

/** Up to nine digits with a common suffix that cannot be made larger: what nearly all manifests hold. */
function isCanonicalSmall(text: string): boolean {
  const small = readSmall(text)
  if (small === undefined) return false
  if (small.digits === 0) return text === '0'
  if (text.charCodeAt(0) === 48) return false
  return small.binary ? small.digits % 1024 !== 0 : small.digits % 1000 !== 0
}

interface SmallQuantity {
  readonly digits: number
  readonly factor: number
  readonly binary: boolean
}

/** Reads `^\d{1,9}(m|k|M|G|Ki|Mi|Gi)?$` without regular expression or BigInt; undefined for anything else. */
function readSmall(text: string): SmallQuantity | undefined {
  let digits = 0
  let index = 0
  for (; index < text.length && index < 9; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9) break
    digits = digits * 10 + digit
  }
  if (index === 0) return undefined
  const factor = smallFactors.get(text.slice(index))
  return factor === undefined ? undefined : { digits, factor, binary: factor % 1024 === 0 }
}

const smallFactors = new Map([
  ['', 1],
  ['m', 0.001],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['Ki', 1024],
  ['Mi', 1024 ** 2],
  ['Gi', 1024 ** 3],
])

function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return quotient * divisor === dividend ? quotient : quotient + (dividend > 0n ? 1n : -1n)
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: string | number, b: string | number): number {
  if (a === b) return 0
  const left = parseQuantity(a).nanos
  const right = parseQuantity(b).nanos
  return left < right ? -1 : left > right ? 1 : 0
}

/** The canonical sum; it keeps the format of `a` unless `a` is zero. */
export function addQuantities(a: string | number, b: string | number): string {
  return combine(parseQuantity(a), parseQuantity(b), 1n)
}

/** The canonical difference `a - b`; it keeps the format of `a` unless `a` is zero. */
export function subtractQuantities(a: string | number, b: string | number): string {
  return combine(parseQuantity(a), parseQuantity(b), -1n)
}

function combine(a: Quantity, b: Quantity, sign: 1n | -1n): string {
  return formatQuantity({ nanos: a.nanos + sign * b.nanos, format: a.nanos === 0n ? b.format : a.format })
}

/** The value as a number: exact for whole values up to 2⁵³, else the nearest double. */
export function quantityToNumber(input: string | number): number {
  const small = typeof input === 'string' ? readSmall(input) : undefined
  if (small) return small.factor === 0.001 ? small.digits / 1000 : small.digits * small.factor
  const { nanos } = parseQuantity(input)
  return nanos % nano === 0n ? Number(nanos / nano) : Number(nanos) / 1e9
}

/** The value in whole units, rounded away from zero: bytes of memory, number of pods. */
export function quantityValue(input: string | number): number {
  const small = typeof input === 'string' ? readSmall(input) : undefined
  if (small) return small.factor === 0.001 ? Math.ceil(small.digits / 1000) : small.digits * small.factor
  return Number(divideUp(parseQuantity(input).nanos, nano))
}

/** The value in thousandths, rounded away from zero: CPU in millicores. */
export function milliValue(input: string | number): number {
  const small = typeof input === 'string' ? readSmall(input) : undefined
  if (small) return small.factor === 0.001 ? small.digits : small.digits * small.factor * 1000
  return Number(divideUp(parseQuantity(input).nanos, 1_000_000n))
}

/** The canonical quantity of a whole number of units. */
export function quantityOf(units: number, format: QuantityFormat = 'DecimalSI'): string {
  return formatQuantity({ nanos: BigInt(Math.round(units)) * nano, format })
}

/** The canonical quantity of a whole number of thousandths. */
export function quantityOfMilli(milliUnits: number): string {
  return formatQuantity({ nanos: BigInt(Math.round(milliUnits)) * 1_000_000n, format: 'DecimalSI' })
}

/** The canonical form, rounded up to thousandths: what resource lists of pods are stored with. */
export function roundUpToMilli(input: string | number): string {
  if (typeof input === 'string' && isCanonicalSmall(input)) return input
  const { nanos, format } = parseQuantity(input)
  return formatQuantity({ nanos: divideUp(nanos, 1_000_000n) * 1_000_000n, format })
}
