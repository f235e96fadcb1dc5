import { matchesNodeSelector } from '#api/core/v1/node-affinity.ts'
import type { Node, NodeSelector } from '#api/types/core.v1.ts'
import type { CounterSet, Device, ResourceSlice } from '#api/types/resource.v1.ts'

/** A device that drivers offer, and where it can be used: on one node, on those a selector chooses, or on all. */
export interface OfferedDevice {
  /** `driver/pool/device`: what tells devices apart. */
  readonly id: string
  readonly driver: string
  readonly pool: string
  readonly device: Device
  readonly where: DevicePlace
  readonly counters: PoolCounters
}

export type DevicePlace = { readonly node: string } | { readonly selector: NodeSelector } | 'everywhere'

/** What the devices of a pool share, by the name of the set (KEP-4815). */
export type PoolCounters = ReadonlyMap<string, CounterSet>

interface Pool {
  readonly devices: readonly OfferedDevice[]
  /** Slices are missing: the driver is about to publish them. */
  readonly isIncomplete: boolean
}

/** The devices of all drivers, by pool, as the newest generation of each pool says. */
export class DevicePools {
  readonly #byNode = new Map<string, OfferedDevice[]>()
  readonly #elsewhere: OfferedDevice[] = []
  readonly #byId = new Map<string, OfferedDevice>()

  constructor(slices: readonly ResourceSlice[]) {
    const pools = Map.groupBy(slices, ({ spec }) => `${spec.driver}/${spec.pool.name}`)
    for (const [key, all] of pools) {
      const { devices, isIncomplete } = poolOf(key, all)
      // A pool that is not all there could be short of what others rely on.
      if (!isIncomplete) for (const device of devices) this.#add(device)
    }
  }

  /** Those that can be used on the node. */
  on(node: Node): readonly OfferedDevice[] {
    const own = this.#byNode.get(node.metadata.name) ?? []
    const wide = this.#elsewhere.filter(({ where }) => {
      return where === 'everywhere' || ('selector' in where && matchesNodeSelector(where.selector, node))
    })
    return wide.length === 0 ? own : [...own, ...wide]
  }

  byId(id: string): OfferedDevice | undefined {
    return this.#byId.get(id)
  }

  #add(device: OfferedDevice): void {
    this.#byId.set(device.id, device)
    const { where } = device
    if (where === 'everywhere' || 'selector' in where) this.#elsewhere.push(device)
    else this.#byNode.set(where.node, [...(this.#byNode.get(where.node) ?? []), device])
  }
}

function poolOf(key: string, all: readonly ResourceSlice[]): Pool {
  const generation = Math.max(...all.map(({ spec }) => spec.pool.generation))
  const slices = all.filter(({ spec }) => spec.pool.generation === generation)
  const counters = new Map(slices.flatMap(({ spec }) => (spec.sharedCounters ?? []).map((set) => [set.name, set])))
  const devices = slices.flatMap(({ spec }) =>
    (spec.devices ?? []).flatMap((device): readonly OfferedDevice[] => {
      const where = placeOf(spec, device)
      const { driver, pool } = spec
      return where === undefined
        ? []
        : [{ id: `${key}/${device.name}`, driver, pool: pool.name, device, where, counters }]
    }),
  )
  const isAmbiguous = new Set(devices.map(({ id }) => id)).size < devices.length
  return { devices, isIncomplete: isAmbiguous || slices.length !== slices[0]?.spec.pool.resourceSliceCount }
}

function placeOf(spec: ResourceSlice['spec'], device: Device): DevicePlace | undefined {
  const { nodeName, nodeSelector, allNodes } = spec.perDeviceNodeSelection === true ? device : spec
  if (nodeName) return { node: nodeName }
  if (nodeSelector) return { selector: nodeSelector }
  return allNodes === true ? 'everywhere' : undefined
}
