import type { NodeSet } from '../topology/hint.ts'

/** So many bytes of `memory` or of one size of huge pages, from a group of NUMA nodes. */
export interface MemoryBlock {
  readonly nodes: readonly number[]
  readonly type: string
  readonly bytes: number
}

/** By pod uid, by container. */
export type MemoryBlocks = ReadonlyMap<string, ReadonlyMap<string, readonly MemoryBlock[]>>

/** What a NUMA node has of one type, and what pods may have of it. */
export interface NodeMemory {
  readonly totalBytes: number
  readonly reservedBytes: number
  readonly allocatableBytes: number
}

/** By NUMA node, by type. */
export type MachineMemory = ReadonlyMap<number, ReadonlyMap<string, NodeMemory>>

/** What is left of a type on nodes that are used as one; 0 where somebody uses some of them together with others. */
export function freeBytes(
  machine: MachineMemory,
  blocks: Iterable<MemoryBlock>,
  { nodes, type }: { readonly nodes: NodeSet; readonly type: string },
): number {
  let free = [...nodes].reduce((sum, node) => sum + (machine.get(node)?.get(type)?.allocatableBytes ?? 0), 0)
  for (const block of blocks) {
    const group = new Set(block.nodes)
    if (group.isDisjointFrom(nodes)) continue
    // A node is used alone, or always together with the same others: else nobody's memory would be guaranteed.
    if (group.symmetricDifference(nodes).size > 0 && block.bytes > 0) return 0
    if (block.type === type) free -= block.bytes
  }
  return free
}

export function allBlocks(blocks: MemoryBlocks): readonly MemoryBlock[] {
  return [...blocks.values()].flatMap((containers) => [...containers.values()]).flat()
}

interface StateText {
  readonly policyName: string
  readonly machineState: Readonly<Record<string, NodeText>>
  readonly entries?: Readonly<Record<string, Readonly<Record<string, readonly BlockText[]>>>>
}

interface NodeText {
  readonly numberOfAssignments: number
  readonly memoryMap: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly cells: readonly number[]
}

interface BlockText {
  readonly numaAffinity: readonly number[]
  readonly type: string
  readonly size: number
}

/** The file `memory_manager_state`, in upstream's form but for its checksum, which nothing but Go can compute. */
export function formatMemoryState(machine: MachineMemory, blocks: MemoryBlocks): string {
  const text: StateText = {
    policyName: 'Static',
    machineState: Object.fromEntries(
      [...machine].map(([node, types]) => [node, nodeText(node, types, allBlocks(blocks))]),
    ),
    entries: Object.fromEntries(
      [...blocks].map(([uid, containers]) => {
        const rows = [...containers].map(([name, own]) => [name, own.map(blockText)] as const)
        return [uid, Object.fromEntries(rows)] as const
      }),
    ),
  }
  return `${JSON.stringify(text)}\n`
}

function blockText({ nodes, type, bytes }: MemoryBlock): BlockText {
  return { numaAffinity: nodes, type, size: bytes }
}

/** What several nodes give together is counted as equal shares of each. */
function nodeText(node: number, types: ReadonlyMap<string, NodeMemory>, blocks: readonly MemoryBlock[]): NodeText {
  const own = blocks.filter(({ nodes, bytes }) => nodes.includes(node) && bytes > 0)
  const rows = [...types].map(([type, { totalBytes, reservedBytes, allocatableBytes }]) => {
    const share = own
      .filter((block) => block.type === type)
      .reduce((sum, { bytes, nodes }) => sum + bytes / nodes.length, 0)
    const reserved = Math.round(share)
    const row = {
      total: totalBytes,
      systemReserved: reservedBytes,
      allocatable: allocatableBytes,
      reserved,
      free: allocatableBytes - reserved,
    }
    return [type, row] as const
  })
  return { numberOfAssignments: own.length, memoryMap: Object.fromEntries(rows), cells: own[0]?.nodes ?? [node] }
}

/** Reads what `formatMemoryState` wrote. Throws when it is not that, or not of this machine with these settings. */
export function parseMemoryState(text: string, machine: MachineMemory): MemoryBlocks {
  const { machineState, entries = {} } = JSON.parse(text) as StateText
  const known = new Set([...Object.keys(machineState), ...[...machine.keys()].map(String)])
  for (const node of known) {
    const own = [...(machine.get(Number(node)) ?? [])]
    const isSame = own.every(([type, { totalBytes, reservedBytes }]) => {
      const row = machineState[node]?.memoryMap[type]
      return row?.['total'] === totalBytes && row['systemReserved'] === reservedBytes
    })
    if (own.length === 0 || !isSame)
      throw new Error('[memorymanager] the expected machine state is different from the real one')
  }
  return new Map(
    Object.entries(entries).map(([uid, containers]) => {
      const rows = Object.entries(containers).map(([name, own]) => {
        return [name, own.map(({ numaAffinity, type, size }) => ({ nodes: numaAffinity, type, bytes: size }))] as const
      })
      return [uid, new Map(rows)] as const
    }),
  )
}
