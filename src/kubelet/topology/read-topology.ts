import { parseCpuList } from '../cpus/cpu-list.ts'
import type { CpuPlace, MachineTopology, NumaNode } from './machine-topology.ts'

/** The part of a file system that topology is read from. */
export interface SystemFiles {
  /** The file's text; `undefined` when there is no such file. */
  text(path: string): Promise<string | undefined>
  /** Names in a folder; none when there is no such folder. */
  names(path: string): Promise<readonly string[]>
}

const cpuFolder = '/sys/devices/system/cpu'
const nodeFolder = '/sys/devices/system/node'

/**
 * What the kernel tells of the machine's processors and NUMA nodes. A kernel that knows no NUMA has one node, with all
 * the memory. Throws when it does not tell where a processor is.
 */
export async function readTopology(files: SystemFiles, memoryBytes: number): Promise<MachineTopology> {
  const online = parseCpuList((await files.text(`${cpuFolder}/online`)) ?? '')
  const nodes = await readNodes(files)
  const nodeOf = new Map(nodes.flatMap(({ id, cpus }) => [...cpus].map((cpu) => [cpu, id] as const)))
  const cpus = await Promise.all([...online].map((cpu) => readCpu(files, cpu, nodeOf.get(cpu) ?? 0)))
  if (nodes.length > 0) return { cpus, nodes }
  const hugePages = await readHugePages(files, '/sys/kernel/mm/hugepages')
  return { cpus, nodes: [{ id: 0, memoryBytes, hugePages, distances: new Map() }] }
}

async function readCpu(files: SystemFiles, cpu: number, node: number): Promise<CpuPlace> {
  const topology = `${cpuFolder}/cpu${cpu}/topology`
  const [socket, siblings, cache] = await Promise.all([
    files.text(`${topology}/physical_package_id`),
    files.text(`${topology}/thread_siblings_list`),
    files.text(`${cpuFolder}/cpu${cpu}/cache/index3/shared_cpu_list`),
  ])
  if (socket === undefined || siblings === undefined) throw new Error(`the kernel does not tell where CPU ${cpu} is`)
  // The kernel numbers cores within their socket; the lowest of its processors names a core, or a cache, everywhere.
  return {
    ...{ cpu, core: Math.min(...parseCpuList(siblings)), socket: Math.max(0, Number(socket)), node },
    ...(cache !== undefined && { cache: Math.min(...parseCpuList(cache)) }),
  }
}

async function readNodes(files: SystemFiles): Promise<readonly (NumaNode & { readonly cpus: ReadonlySet<number> })[]> {
  const list = await files.text(`${nodeFolder}/online`)
  if (list === undefined) return []
  const ids = [...parseCpuList(list)]
  return Promise.all(
    ids.map(async (id) => {
      const folder = `${nodeFolder}/node${id}`
      const [cpus, memory, distance, hugePages] = await Promise.all([
        files.text(`${folder}/cpulist`),
        files.text(`${folder}/meminfo`),
        files.text(`${folder}/distance`),
        readHugePages(files, `${folder}/hugepages`),
      ])
      const far = (distance ?? '').trim().split(/\s+/).map(Number)
      return {
        id,
        cpus: parseCpuList(cpus ?? ''),
        memoryBytes: Number(/MemTotal:\s+(\d+) kB/.exec(memory ?? '')?.[1] ?? 0) * 1024,
        hugePages,
        distances: new Map(ids.map((other, index) => [other, far[index] ?? 0])),
      }
    }),
  )
}

/** How many pages there are of each size, in bytes, below a folder such as `/sys/kernel/mm/hugepages`. */
export async function readHugePages(files: SystemFiles, folder: string): Promise<ReadonlyMap<number, number>> {
  const names = await files.names(folder)
  const rows = await Promise.all(
    names.map(async (name) => {
      const kibibytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0)
      return [kibibytes * 1024, Number(await files.text(`${folder}/${name}/nr_hugepages`))] as const
    }),
  )
  return new Map(rows.filter(([size]) => size > 0).toSorted(([a], [b]) => a - b))
}
