import type { CpuSet } from '../cpus/cpu-list.ts'

/** How processors and memory of a machine lie together. */
export interface MachineTopology {
  readonly cpus: readonly CpuPlace[]
  /** In the order of their numbers; at least one. */
  readonly nodes: readonly NumaNode[]
}

/** Where a logical processor is. Cores are numbered within the whole machine. */
export interface CpuPlace {
  readonly cpu: number
  readonly core: number
  readonly socket: number
  readonly node: number
  /** Processors with the same number share their last level of cache; absent where the kernel does not tell. */
  readonly cache?: number
}

/** A NUMA node: memory and the processors that are near it. */
export interface NumaNode {
  readonly id: number
  readonly memoryBytes: number
  /** How many pages of each size, in bytes, the node has set aside. */
  readonly hugePages: ReadonlyMap<number, number>
  /** How far memory of each node is, this one's own included, by node. */
  readonly distances: ReadonlyMap<number, number>
}

export function allCpus({ cpus }: MachineTopology): CpuSet {
  return new Set(cpus.map(({ cpu }) => cpu))
}

export function cpusOfNodes({ cpus }: MachineTopology, nodes: ReadonlySet<number>): CpuSet {
  return new Set(cpus.filter(({ node }) => nodes.has(node)).map(({ cpu }) => cpu))
}

/** How many logical processors share a core; cores of one machine are taken to be alike. */
export function threadsPerCore({ cpus }: MachineTopology): number {
  const cores = new Set(cpus.map(({ core }) => core))
  return Math.max(1, Math.floor(cpus.length / Math.max(1, cores.size)))
}
