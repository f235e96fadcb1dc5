import { compareQuantities, addQuantities, subtractQuantities } from '#api/meta/quantity.ts'
import { deviceId } from '#api/resource/v1/device-ids.ts'
import type { AllocationResult } from '#api/types/resource.v1.ts'
import type { Amounts } from './consumed-capacity.ts'
import type { DevicePools, OfferedDevice } from './device-pools.ts'

/**
 * Which devices are in use, what is taken of those that several claims share, and of the counters of their pools.
 * Changes can be undone.
 */
export class DeviceUse {
  /** Devices that one claim has for itself. */
  readonly #used = new Set<string>()
  /** How many claims share a device. */
  readonly #shares = new Map<string, number>()
  /** By device and capacity, and by pool, set and counter: the quantity that is taken. */
  readonly #taken = new Map<string, string>()

  constructor(allocations: Iterable<AllocationResult>, pools: DevicePools) {
    for (const { devices } of allocations) {
      for (const { adminAccess, shareID, consumedCapacity = {}, ...reference } of devices?.results ?? []) {
        if (adminAccess === true) continue
        const id = deviceId(reference)
        const offered = pools.byId(id)
        if (shareID === undefined) this.#use(id, offered)
        else this.#share(id, offered, consumedCapacity)
      }
    }
  }

  /** Whether a claim can have the device, or so much of it. */
  isFree(offered: OfferedDevice, amounts: Amounts | undefined): boolean {
    const { id, device } = offered
    if (this.#used.has(id)) return false
    if (amounts === undefined) return !this.#shares.has(id) && this.#fits(offered)
    if (!this.#shares.has(id) && !this.#fits(offered)) return false
    return Object.entries(amounts).every(([name, amount]) => {
      const all = device.capacity?.[name]?.value ?? '0'
      return compareQuantities(addQuantities(this.#taken.get(`${id}/${name}`) ?? '0', amount), all) <= 0
    })
  }

  /** Takes a free device, or so much of it; the answer gives it back. */
  take(offered: OfferedDevice, amounts: Amounts | undefined): () => void {
    return amounts === undefined ? this.#use(offered.id, offered) : this.#share(offered.id, offered, amounts)
  }

  #use(id: string, offered: OfferedDevice | undefined): () => void {
    this.#used.add(id)
    const undo = this.#count(offered)
    return () => {
      this.#used.delete(id)
      undo()
    }
  }

  /** What a shared device takes of counters it takes once. */
  #share(id: string, offered: OfferedDevice | undefined, amounts: Amounts): () => void {
    const shares = this.#shares.get(id) ?? 0
    this.#shares.set(id, shares + 1)
    const undo = shares === 0 ? this.#count(offered) : () => undefined
    for (const [name, amount] of Object.entries(amounts)) this.#add(`${id}/${name}`, amount)
    return () => {
      if (shares === 0) this.#shares.delete(id)
      else this.#shares.set(id, shares)
      undo()
      for (const [name, amount] of Object.entries(amounts)) this.#subtract(`${id}/${name}`, amount)
    }
  }

  #count(offered: OfferedDevice | undefined): () => void {
    const amounts = offered ? countersOf(offered) : []
    for (const { key, value } of amounts) this.#add(key, value)
    return () => {
      for (const { key, value } of amounts) this.#subtract(key, value)
    }
  }

  #add(key: string, amount: string): void {
    this.#taken.set(key, addQuantities(this.#taken.get(key) ?? '0', amount))
  }

  #subtract(key: string, amount: string): void {
    this.#taken.set(key, subtractQuantities(this.#taken.get(key) ?? '0', amount))
  }

  /** What the device takes of each counter must be left of it. */
  #fits(offered: OfferedDevice): boolean {
    return countersOf(offered).every(({ key, set, name, value }) => {
      const all = offered.counters.get(set)?.counters[name]?.value
      return all !== undefined && compareQuantities(addQuantities(this.#taken.get(key) ?? '0', value), all) <= 0
    })
  }
}

function countersOf({ driver, pool, device }: OfferedDevice) {
  return (device.consumesCounters ?? []).flatMap(({ counterSet: set, counters }) =>
    Object.entries(counters).map(([name, { value }]) => {
      return { key: `counter ${driver}/${pool}/${set}/${name}`, set, name, value }
    }),
  )
}
