import { compareQuantities, formatQuantity, parseQuantity } from '#api/meta/quantity.ts'
import type { CapacityRequestPolicy, CapacityRequirements, Device, DeviceCapacity } from '#api/types/resource.v1.ts'
import { splitName } from './device-selector.ts'

/** Amounts by the names under which a device has them. */
export type Amounts = Readonly<Record<string, string>>

/**
 * What a request takes of each capacity of a device, as the device's policy rounds it, or nothing where the device does
 * not have it (KEP-5075). A request that names no amount takes the policy's default, or all there is.
 */
export function consumedCapacity(
  { capacity = {} }: Device,
  driver: string,
  wanted: CapacityRequirements | undefined,
): Amounts | undefined {
  const requests = new Map<string, string>()
  for (const [name, amount] of Object.entries(wanted?.requests ?? {})) {
    const key = capacityKey(capacity, driver, name)
    if (key === undefined) return undefined
    requests.set(key, amount)
  }
  const consumed: Record<string, string> = {}
  for (const [name, each] of Object.entries(capacity)) {
    const amount = amountOf(requests.get(name), each)
    if (amount === undefined || compareQuantities(amount, each.value) > 0) return undefined
    consumed[name] = amount
  }
  return consumed
}

/** A name without a domain is in that of the driver, on both sides. */
function capacityKey(capacity: Device['capacity'], driver: string, name: string): string | undefined {
  if (capacity?.[name] !== undefined) return name
  const [domain, id] = splitName(name, driver)
  if (domain !== driver) return undefined
  return [id, `${driver}/${id}`].find((key) => capacity?.[key] !== undefined)
}

function amountOf(requested: string | undefined, { value, requestPolicy }: DeviceCapacity): string | undefined {
  if (requested === undefined) return requestPolicy?.default ?? value
  return requestPolicy ? rounded(requested, requestPolicy) : requested
}

/** Rounded up to what the policy allows; nothing where it allows no more. */
function rounded(requested: string, { validRange, validValues }: CapacityRequestPolicy): string | undefined {
  if (validRange) {
    const { min, max, step } = validRange
    const amount = compareQuantities(requested, min) <= 0 ? min : inSteps(requested, min, step)
    return max !== undefined && compareQuantities(amount, max) > 0 ? undefined : amount
  }
  if (!validValues) return requested
  return validValues.find((value) => compareQuantities(value, requested) >= 0)
}

function inSteps(requested: string, min: string, step: string | undefined): string {
  if (step === undefined) return requested
  const { nanos: from, format } = parseQuantity(min)
  const size = parseQuantity(step).nanos
  if (size <= 0n) return requested
  const above = parseQuantity(requested).nanos - from
  const steps = (above + size - 1n) / size
  return formatQuantity({ nanos: from + steps * size, format })
}
