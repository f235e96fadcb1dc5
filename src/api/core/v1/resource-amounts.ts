import type { Quantity } from '../../types/meta.v1.ts'

/**
 * Amounts of resources as whole numbers that can be added and compared: `cpu` in millicores, every other resource in
 * its own unit (bytes, pieces), rounded up. Exact up to 2^53, which is 8 PiB.
 */
export type ResourceAmounts = Readonly<Record<string, number>>

/** The whole number for one quantity of one resource; 0 for text that is not a quantity (API reference, Quantity). */
export function resourceAmount(resource: string, quantity: Quantity): number {
  const scale = resource === 'cpu' ? 3 : 0
  const parts = quantityForm.exec(quantity)
  if (parts === null) return 0
  const [, sign = '', whole = '', fraction = '', suffix = ''] = parts
  const factor = factors[suffix]
  const exponent = scale + (factor === undefined ? Number(suffix.slice(1)) : factor.exponent)
  if (whole + fraction === '' || !Number.isInteger(exponent)) return 0
  const mantissa = BigInt(whole + fraction) * (factor?.binary ?? 1n)
  const magnitude = shiftDecimal(mantissa, exponent - fraction.length, sign !== '-')
  return sign === '-' ? -magnitude : magnitude
}

/** The amounts of a resource list such as `requests`, `limits` or `allocatable`. */
export function resourceAmounts(list: Readonly<Record<string, Quantity>> | undefined): ResourceAmounts {
  const amounts: Record<string, number> = {}
  if (list === undefined) return amounts
  for (const [name, quantity] of Object.entries(list)) amounts[name] = resourceAmount(name, quantity)
  return amounts
}

/** The larger of both, resource by resource. */
export function maxAmounts(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const result: Record<string, number> = { ...a }
  for (const [name, amount] of Object.entries(b)) result[name] = Math.max(result[name] ?? 0, amount)
  return result
}

/** The sum of both, resource by resource. */
export function addAmounts(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const result: Record<string, number> = { ...a }
  for (const [name, amount] of Object.entries(b)) result[name] = (result[name] ?? 0) + amount
  return result
}

const quantityForm = /^([+-]?)(\d*)\.?(\d*)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+|)$/

const factors: Readonly<Record<string, { readonly exponent: number; readonly binary?: bigint }>> = {
  '': { exponent: 0 },
  n: { exponent: -9 },
  u: { exponent: -6 },
  m: { exponent: -3 },
  k: { exponent: 3 },
  M: { exponent: 6 },
  G: { exponent: 9 },
  T: { exponent: 12 },
  P: { exponent: 15 },
  E: { exponent: 18 },
  Ki: { exponent: 0, binary: 1n << 10n },
  Mi: { exponent: 0, binary: 1n << 20n },
  Gi: { exponent: 0, binary: 1n << 30n },
  Ti: { exponent: 0, binary: 1n << 40n },
  Pi: { exponent: 0, binary: 1n << 50n },
  Ei: { exponent: 0, binary: 1n << 60n },
}

/** Kubernetes bounds quantities at 2^63-1; longer exponents only occur in hostile input. */
const maxExponent = 40

function shiftDecimal(mantissa: bigint, exponent: number, roundUp: boolean): number {
  if (mantissa === 0n) return 0
  if (exponent >= 0) return Number(mantissa * 10n ** BigInt(Math.min(exponent, maxExponent)))
  if (exponent < -maxExponent) return roundUp ? 1 : 0
  const divisor = 10n ** BigInt(-exponent)
  return Number(mantissa / divisor) + (roundUp && mantissa % divisor !== 0n ? 1 : 0)
}
