import { matchesNodeSelector } from '#api/core/v1/node-affinity.ts'
import { deviceId } from '#api/resource/v1/device-ids.ts'
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

/** A pool whose devices cannot be given away, and where they are. */
interface UnreadyPool {
  readonly problem: string
  readonly places: readonly DevicePlace[]
}

/** The devices of all drivers, by pool, as the newest generation of each pool says. */
export class DevicePools {
  readonly #byNode = new Map<string, OfferedDevice[]>()
  readonly #elsewhere: OfferedDevice[] = []
  readonly #byId = new Map<string, OfferedDevice>()
  readonly #unready: UnreadyPool[] = []

  constructor(slices: readonly ResourceSlice[]) {
    const pools = Map.groupBy(slices, ({ spec }) => `${spec.driver}/${spec.pool.name}`)
    for (const [key, all] of pools) {
      const devices = devicesOf(all)
      const problem = problemOf(all, devices)
      // A pool that is not all there could be short of what others rely on.
      if (problem === undefined) for (const device of devices) this.#add(device)
      else {
        const places = devices.map(({ where }) => where)
        this.#unready.push({ problem: `resource pool ${key} is currently ${problem}`, places })
      }
    }
  }

  /** Those that can be used on the node; those that take time to get ready come last. */
  on(node: Node): readonly OfferedDevice[] {
    const own = this.#byNode.get(node.metadata.name) ?? []
    const wide = this.#elsewhere.filter(({ where }) => isAt(where, node))
    const all = wide.length === 0 ? own : [...own, ...wide]
    return all.some(isSlow) ? [...all.filter((each) => !isSlow(each)), ...all.filter(isSlow)] : all
  }

  /** Why nobody knows yet all devices that can be used on the node, or nothing. */
  problemOn(node: Node): string | undefined {
    return this.#unready.find(({ places }) => places.some((where) => isAt(where, node)))?.problem
  }

  byId(id: string): OfferedDevice | undefined {
    return this.#byId.get(id)
  }

  #add(device: OfferedDevice): void {
    this.#byId.set(device.id, device)
    const { where } = device
    if (where === 'everywhere' || 'selector' in where) return void this.#elsewhere.push(device)
    const known = this.#byNode.get(where.node)
    if (known) known.push(device)
    else this.#byNode.set(where.node, [device])
  }
}

function isAt(where: DevicePlace, node: Node): boolean {
  if (where === 'everywhere') return true
  return 'node' in where ? where.node === node.metadata.name : matchesNodeSelector(where.selector, node)
}

function isSlow({ device }: OfferedDevice): boolean {
  return (device.bindingConditions ?? []).length > 0
}

function newestOf(all: readonly ResourceSlice[]): readonly ResourceSlice[] {
  const generation = Math.max(...all.map(({ spec }) => spec.pool.generation))
  return all.filter(({ spec }) => spec.pool.generation === generation)
}

function problemOf(all: readonly ResourceSlice[], devices: readonly OfferedDevice[]): string | undefined {
  const slices = newestOf(all)
  if (slices.length !== slices[0]?.spec.pool.resourceSliceCount) return 'being updated'
  return new Set(devices.map(({ id }) => id)).size < devices.length ? 'invalid' : undefined
}

function devicesOf(all: readonly ResourceSlice[]): readonly OfferedDevice[] {
  const slices = newestOf(all)
  const counters = new Map(slices.flatMap(({ spec }) => (spec.sharedCounters ?? []).map((set) => [set.name, set])))
  return slices.flatMap(({ spec }) =>
    (spec.devices ?? []).flatMap((device): readonly OfferedDevice[] => {
      const where = placeOf(spec, device)
      const { driver } = spec
      const pool = spec.pool.name
      const id = deviceId({ driver, pool, device: device.name })
      return where === undefined ? [] : [{ id, driver, pool, device, where, counters }]
    }),
  )
}

function placeOf(spec: ResourceSlice['spec'], device: Device): DevicePlace | undefined {
  const { nodeName, nodeSelector, allNodes } = spec.perDeviceNodeSelection === true ? device : spec
  if (nodeName) return { node: nodeName }
  if (nodeSelector) return { selector: nodeSelector }
  return allNodes === true ? 'everywhere' : undefined
}
