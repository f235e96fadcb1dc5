import type { ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { hugePageResource } from '../node/huge-pages.ts'
import type { MachineTopology, NumaNode } from '../topology/machine-topology.ts'
import type { MachineMemory } from './memory-state.ts'

/** What the system keeps of a NUMA node's memory, by type. */
export interface ReservedNodeMemory {
  readonly node: number
  readonly amounts: ResourceAmounts
}

/** What each NUMA node has for pods. Throws when something is reserved of a node that is not there. */
export function machineMemory({ nodes }: MachineTopology, reserved: readonly ReservedNodeMemory[]): MachineMemory {
  for (const { node } of reserved) {
    if (!nodes.some(({ id }) => id === node))
      throw new Error(
        `the reserved memory configuration references a NUMA node ${node} that does not exist on this machine`,
      )
  }
  return new Map(
    nodes.map((node) => {
      const amounts = reserved.find((each) => each.node === node.id)?.amounts ?? {}
      const types = totals(node).map(([type, totalBytes, usableBytes]) => {
        const reservedBytes = amounts[type] ?? 0
        return [
          type,
          { totalBytes, reservedBytes, allocatableBytes: Math.max(0, usableBytes - reservedBytes) },
        ] as const
      })
      return [node.id, new Map(types)] as const
    }),
  )
}

/** Huge pages are set aside from memory, which has that much less. */
function totals({
  memoryBytes,
  hugePages,
}: NumaNode): readonly (readonly [type: string, total: number, usable: number])[] {
  const pages = [...hugePages].map(([size, count]) => [hugePageResource(size), size * count, size * count] as const)
  const setAside = pages.reduce((sum, [, bytes]) => sum + bytes, 0)
  return [['memory', memoryBytes, memoryBytes - setAside], ...pages]
}
