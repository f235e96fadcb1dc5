/** A device as its plugin describes it. */
export interface Device {
  readonly id: string
  readonly isHealthy: boolean
  /** The NUMA nodes near it; none when the plugin does not say. */
  readonly numaNodes: readonly number[]
}

export interface DeviceChoice {
  readonly needed: number
  readonly devices: readonly Device[]
  readonly taken: ReadonlySet<string>
  /** Devices that init containers of the pod have and leave to those after them. */
  readonly reusable: readonly string[]
}

/** Why a container cannot have the devices it asks for, in upstream's words. */
export class DevicesUnavailable extends Error {}

/** What can be chosen from: what must be among it, and everything that is free. */
export interface Candidates {
  readonly mustInclude: readonly string[]
  readonly available: readonly string[]
}

/** Throws `DevicesUnavailable` when there are too few healthy devices that nobody has. */
export function candidateDevices(resource: string, { needed, devices, taken, reusable }: DeviceChoice): Candidates {
  const healthy = devices.filter(({ isHealthy }) => isHealthy).map(({ id }) => id)
  const mustInclude = reusable.filter((id) => healthy.includes(id)).slice(0, needed)
  const free = healthy.filter((id) => !taken.has(id))
  const available = [...mustInclude, ...free]
  if (available.length >= needed) return { mustInclude, available }
  throw new DevicesUnavailable(
    `requested number of devices unavailable for ${resource}. Requested: ${needed}, Available: ${available.length}`,
  )
}

/** Without the plugin's preference: the reusable ones, then devices that share NUMA nodes, as close as they come. */
export function nearestDevices(
  { mustInclude, available }: Candidates,
  needed: number,
  devices: readonly Device[],
): string[] {
  const nodesOf = new Map(devices.map(({ id, numaNodes }) => [id, numaNodes]))
  const near = new Set(mustInclude.flatMap((id) => nodesOf.get(id) ?? []))
  const rest = available.filter((id) => !mustInclude.includes(id))
  const freeOn = (node: number): number => rest.filter((id) => nodesOf.get(id)?.includes(node)).length
  const rank = (id: string): number => {
    const nodes = nodesOf.get(id) ?? []
    if (nodes.some((node) => near.has(node))) return -Infinity
    return -Math.max(0, ...nodes.map(freeOn))
  }
  return [...mustInclude, ...rest.toSorted((a, b) => rank(a) - rank(b))].slice(0, needed)
}
