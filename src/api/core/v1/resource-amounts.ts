import { milliValue, quantityValue } from '../../meta/quantity.ts'
import type { Quantity } from '../../types/meta.v1.ts'

/**
 * Amounts of resources as whole numbers that can be added and compared: `cpu` in millicores, every other resource in
 * its own unit (bytes, pieces), rounded up. Exact up to 2^53, which is 8 PiB.
 */
export type ResourceAmounts = Readonly<Record<string, number>>

/** The whole number for one quantity of one resource. Throws `QuantityError` for text that is none. */
export function resourceAmount(resource: string, quantity: Quantity): number {
  return resource === 'cpu' ? milliValue(quantity) : quantityValue(quantity)
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
