import { threadsPerCore, type CpuPlace, type MachineTopology } from '../topology/machine-topology.ts'
import type { CpuSet } from './cpu-list.ts'

export interface TakeOptions {
  /** Processors that share their last level of cache go together (policy option `prefer-align-cpus-by-uncorecache`). */
  readonly prefersCaches?: boolean
}

/**
 * Chooses so many of the available processors that they lie close together and leave others whole: whole sockets and
 * NUMA nodes first, then whole cores, then single threads next to what is taken already (documentation "CPU
 * management"). Answers with fewer when there are not enough.
 */
export function takeCpus(
  topology: MachineTopology,
  available: CpuSet,
  count: number,
  { prefersCaches = false }: TakeOptions = {},
): CpuSet {
  const taken = new Set<number>()
  for (const level of ['socket', 'node'] as const) {
    for (const group of wholeGroups(topology, available.difference(taken), level))
      if (taken.size + group.length <= count) for (const { cpu } of group) taken.add(cpu)
  }
  if (prefersCaches) takeByCaches({ topology, available, taken, count })
  const threads = threadsPerCore(topology)
  for (const group of wholeGroups(topology, available.difference(taken), 'core'))
    if (group.length === threads && taken.size + group.length <= count) for (const { cpu } of group) taken.add(cpu)
  while (taken.size < count) {
    const next = nearestThread(topology, available.difference(taken), taken)
    if (next === undefined) break
    taken.add(next)
  }
  return taken
}

interface Taking {
  readonly topology: MachineTopology
  readonly available: CpuSet
  /** What is chosen is added to it. */
  readonly taken: Set<number>
  readonly count: number
}

/** Whole caches while so many are needed, then whole cores of one cache if they make up the rest. */
function takeByCaches({ topology, available, taken, count }: Taking): void {
  const threads = threadsPerCore(topology)
  const caches = [...Map.groupBy(topology.cpus, cacheOf).values()]
  const freeOf = (group: readonly CpuPlace[]): readonly CpuPlace[] => group.filter(({ cpu }) => available.has(cpu))
  // Those with the least left first, so that others stay whole for who needs them whole.
  const byRoom = caches.toSorted((a, b) => freeOf(a).length - freeOf(b).length)
  for (const group of byRoom) {
    const isWhole = group.every(({ cpu }) => available.has(cpu) && !taken.has(cpu))
    if (isWhole && taken.size + group.length <= count) for (const { cpu } of group) taken.add(cpu)
  }
  const rest = count - taken.size
  if (rest === 0) return
  for (const group of byRoom) {
    const free = freeOf(group).filter(({ cpu }) => !taken.has(cpu))
    const cores = [...Map.groupBy(free, ({ core }) => core).values()].filter((core) => core.length === threads)
    const together = cores.slice(0, Math.ceil(rest / threads)).flat()
    if (together.length < rest) continue
    for (const { cpu } of together.slice(0, rest)) taken.add(cpu)
    return
  }
}

/** Where the kernel does not tell, a NUMA node is taken to share one. */
function cacheOf({ cache, node }: CpuPlace): string {
  return cache === undefined ? `node ${node}` : `cache ${cache}`
}

type Level = 'socket' | 'node' | 'core'

/** The sockets, nodes or cores that are free as a whole, in the places first that have the least left beside. */
function wholeGroups({ cpus }: MachineTopology, free: CpuSet, level: Level): readonly (readonly CpuPlace[])[] {
  const groups = [...Map.groupBy(cpus, (place) => place[level]).values()]
  const whole = groups.filter((group) => group.every(({ cpu }) => free.has(cpu)))
  const left = (place: CpuPlace | undefined): number =>
    cpus.filter(({ cpu, socket }) => socket === place?.socket && free.has(cpu)).length
  return whole.toSorted(([a], [b]) => left(a) - left(b) || (a?.[level] ?? 0) - (b?.[level] ?? 0))
}

/** On a socket where the container is already, on a socket with little left, beside a thread that is taken. */
function nearestThread({ cpus }: MachineTopology, free: CpuSet, taken: CpuSet): number | undefined {
  const count = (of: CpuSet, level: Level, place: CpuPlace): number =>
    cpus.filter((each) => each[level] === place[level] && of.has(each.cpu)).length
  const ranks = cpus
    .filter(({ cpu }) => free.has(cpu))
    .map((place) => ({
      place,
      rank: [
        -count(taken, 'node', place),
        -count(taken, 'socket', place),
        count(free, 'socket', place),
        count(free, 'core', place),
        place.core,
        place.cpu,
      ],
    }))
  return ranks.toSorted((a, b) => compare(a.rank, b.rank))[0]?.place.cpu
}

function compare(a: readonly number[], b: readonly number[]): number {
  const differing = a.findIndex((value, index) => value !== b[index])
  return differing === -1 ? 0 : (a[differing] ?? 0) - (b[differing] ?? 0)
}

/**
 * Chooses as even a share as possible from each of the fewest NUMA nodes that have enough together (policy option
 * `distribute-cpus-across-numa`). `groupSize`: processors that only go together, such as the threads of a core.
 */
export function distributeCpus(
  topology: MachineTopology,
  available: CpuSet,
  { count, groupSize }: { readonly count: number; readonly groupSize: number },
): CpuSet {
  const byNode = [...Map.groupBy(topology.cpus, ({ node }) => node)]
    .map(([, cpus]) => new Set(cpus.map(({ cpu }) => cpu)).intersection(available))
    .toSorted((a, b) => b.size - a.size)
  const needed = byNode.findIndex((_node, index) => sum(byNode.slice(0, index + 1)) >= count) + 1
  const chosen = needed === 0 ? byNode : byNode.slice(0, needed)
  let rest = count
  const shares = chosen.toReversed().flatMap((cpus, index) => {
    const even = Math.ceil(rest / (chosen.length - index) / groupSize) * groupSize
    const share = takeCpus(topology, cpus, Math.min(even, cpus.size, rest))
    rest -= share.size
    return [...share]
  })
  return new Set(shares)
}

function sum(sets: readonly CpuSet[]): number {
  return sets.reduce((total, { size }) => total + size, 0)
}
