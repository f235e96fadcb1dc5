/** NUMA nodes by number. */
export type NodeSet = ReadonlySet<number>

/** One way to give a container what it asks for: from these nodes; without `nodes`, it does not matter from which. */
export interface TopologyHint {
  readonly nodes?: NodeSet
  /** No smaller set of nodes could give it, however free the machine were. */
  readonly isPreferred: boolean
}

/** By resource, such as `cpu`: all ways to give it. `undefined`: any will do. Empty: none will. */
export type ResourceHints = Readonly<Record<string, readonly TopologyHint[] | undefined>>

/** Every set of nodes but the empty one, the smaller ones first. */
function nodeSets(nodes: readonly number[]): readonly NodeSet[] {
  const sets = Array.from({ length: 2 ** nodes.length - 1 }, (_, index) => {
    return new Set(nodes.filter((_node, bit) => ((index + 1) >> bit) & 1))
  })
  return sets.toSorted((a, b) => a.size - b.size)
}

export interface HintRule {
  readonly nodes: readonly number[]
  /** Whether the nodes would do if nobody else had anything. */
  readonly couldDo: (nodes: NodeSet) => boolean
  /** Whether they do now. */
  readonly canDo: (nodes: NodeSet) => boolean
}

/** The hints of one resource: where it can be had, the narrowest places that ever could give it preferred. */
export function hintsBy({ nodes, couldDo, canDo }: HintRule): readonly TopologyHint[] {
  const sets = nodeSets(nodes)
  const narrowest = Math.min(...sets.filter(couldDo).map(({ size }) => size))
  return sets.filter(canDo).map((set) => ({ nodes: set, isPreferred: set.size === narrowest }))
}
