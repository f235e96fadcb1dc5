import { hintsBy, type NodeSet, type TopologyHint } from '../topology/hint.ts'
import type { Candidates, Device } from './choose-devices.ts'

export interface DeviceHintInput {
  readonly nodes: readonly number[]
  readonly devices: readonly Device[]
  readonly candidates: Candidates
  readonly needed: number
}

/** Near which NUMA nodes so many devices can be had; `undefined` when no device says where it is. */
export function deviceHints(input: DeviceHintInput): readonly TopologyHint[] | undefined {
  const { nodes, devices, candidates, needed } = input
  if (devices.every(({ numaNodes }) => numaNodes.length === 0)) return undefined
  const near = (set: NodeSet): readonly string[] => nearDevices(devices, set)
  return hintsBy({
    nodes,
    couldDo: (set) => near(set).length >= needed,
    canDo(set) {
      const ids = new Set(near(set))
      const isReused = candidates.mustInclude.every((id) => ids.has(id))
      return isReused && candidates.available.filter((id) => ids.has(id)).length >= needed
    },
  })
}

/** Leaves only devices near the nodes to choose from; where they are too few, all of them must be among the chosen. */
export function nearCandidates(
  { mustInclude, available }: Candidates,
  { devices, nodes, needed }: { readonly devices: readonly Device[]; readonly nodes: NodeSet; readonly needed: number },
): Candidates {
  const near = new Set(nearDevices(devices, nodes))
  const wanted = [...new Set([...mustInclude, ...available.filter((id) => near.has(id))])]
  return wanted.length >= needed ? { mustInclude, available: wanted } : { mustInclude: wanted, available }
}

function nearDevices(devices: readonly Device[], nodes: NodeSet): readonly string[] {
  return devices.filter(({ numaNodes }) => numaNodes.some((node) => nodes.has(node))).map(({ id }) => id)
}
