import { compareQuantities, addQuantities } from '#api/meta/quantity.ts'
import type { AllocationResult } from '#api/types/resource.v1.ts'
import type { DevicePools, OfferedDevice } from './device-pools.ts'

/** Which devices are in use, and what they take of the counters of their pools. Changes can be undone. */
export class DeviceUse {
  readonly #used = new Set<string>()
  /** By pool, set and counter: the quantity that is taken. */
  readonly #taken = new Map<string, string>()

  constructor(allocations: Iterable<AllocationResult>, pools: DevicePools) {
    for (const { devices } of allocations) {
      for (const { driver, pool, device, adminAccess } of devices?.results ?? []) {
        if (adminAccess === true) continue
        const id = `${driver}/${pool}/${device}`
        const offered = pools.byId(id)
        this.#used.add(id)
        if (offered) this.#count(offered)
      }
    }
  }

  isFree(offered: OfferedDevice): boolean {
    return !this.#used.has(offered.id) && this.#fits(offered)
  }

  /** Takes a free device; the answer gives it back. */
  take(offered: OfferedDevice): () => void {
    const before = keysOf(offered).map((key) => [key, this.#taken.get(key)] as const)
    this.#used.add(offered.id)
    this.#count(offered)
    return () => {
      this.#used.delete(offered.id)
      for (const [key, taken] of before) {
        if (taken === undefined) this.#taken.delete(key)
        else this.#taken.set(key, taken)
      }
    }
  }

  #count({ driver, pool, device }: OfferedDevice): void {
    for (const { counterSet, counters } of device.consumesCounters ?? []) {
      for (const [name, { value }] of Object.entries(counters)) {
        const key = keyOf({ driver, pool, counterSet, name })
        this.#taken.set(key, addQuantities(this.#taken.get(key) ?? '0', value))
      }
    }
  }

  /** What the device takes of each counter must be left of it. */
  #fits({ driver, pool, device, counters: sets }: OfferedDevice): boolean {
    return (device.consumesCounters ?? []).every(({ counterSet, counters }) =>
      Object.entries(counters).every(([name, { value }]) => {
        const all = sets.get(counterSet)?.counters[name]?.value
        const taken = this.#taken.get(keyOf({ driver, pool, counterSet, name })) ?? '0'
        return all !== undefined && compareQuantities(addQuantities(taken, value), all) <= 0
      }),
    )
  }
}

interface CounterKey {
  readonly driver: string
  readonly pool: string
  readonly counterSet: string
  readonly name: string
}

function keyOf({ driver, pool, counterSet, name }: CounterKey): string {
  return `${driver}/${pool}/${counterSet}/${name}`
}

function keysOf({ driver, pool, device }: OfferedDevice): readonly string[] {
  return (device.consumesCounters ?? []).flatMap(({ counterSet, counters }) =>
    Object.keys(counters).map((name) => keyOf({ driver, pool, counterSet, name })),
  )
}
