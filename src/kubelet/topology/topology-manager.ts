import type { Pod } from '#api/types/core.v1.ts'
import { AdmissionError } from './admission-error.ts'
import type { NodeSet, ResourceHints } from './hint.ts'
import type { NumaNode } from './machine-topology.ts'
import { mergeHints, type TopologyPolicy } from './merge-hints.ts'
import { containersInOrder, type ResourceManager } from './resource-manager.ts'

export interface TopologySettings {
  readonly policy: TopologyPolicy
  readonly scope: 'container' | 'pod'
  readonly prefersClosestNodes: boolean
  /** On machines with more NUMA nodes no policy is followed: the kubelet does not start. */
  readonly maximumNodes: number
}

export interface TopologyManagerOptions {
  readonly settings: TopologySettings
  readonly nodes: readonly NumaNode[]
  readonly managers: readonly ResourceManager[]
}

/** Gives pods what the managers have of the node, from places that go together (documentation "Topology Manager"). */
export class TopologyManager {
  readonly #options: TopologyManagerOptions

  constructor(options: TopologyManagerOptions) {
    this.#options = options
  }

  /** Gives all containers of the pod what they ask for, or throws `AdmissionError`. Pods come one after the other. */
  async admit(pod: Pod, livePods: ReadonlySet<string>): Promise<void> {
    const { managers, settings } = this.#options
    for (const manager of managers) manager.begin(livePods)
    const hintsOf = (read: (manager: ResourceManager) => ResourceHints): NodeSet | undefined => {
      return settings.policy === 'none' ? undefined : this.#place(managers.map(read))
    }
    const ofPod = settings.scope === 'pod' ? hintsOf((manager) => manager.podHints(pod)) : undefined
    for (const asked of containersInOrder(pod)) {
      const nodes = settings.scope === 'pod' ? ofPod : hintsOf((manager) => manager.containerHints(asked))
      for (const manager of managers) await manager.allocate(asked, nodes)
    }
    await Promise.all(managers.map((manager) => manager.saved()))
  }

  #place(hints: readonly ResourceHints[]): NodeSet | undefined {
    const { settings, nodes } = this.#options
    const { isAdmitted, nodes: place } = mergeHints({
      policy: settings.policy,
      nodes: nodes.map(({ id }) => id),
      hints,
      ...(settings.prefersClosestNodes && { distance: (set: NodeSet) => averageDistance(set, nodes) }),
    })
    if (isAdmitted) return place
    throw new AdmissionError('TopologyAffinityError', 'Resources cannot be allocated with Topology locality')
  }
}

/** From each node of the set to each. */
function averageDistance(set: NodeSet, nodes: readonly NumaNode[]): number {
  const inside = nodes.filter(({ id }) => set.has(id))
  const all = inside.flatMap(({ distances }) => inside.map(({ id }) => distances.get(id) ?? 0))
  return all.reduce((sum, each) => sum + each, 0) / Math.max(1, all.length)
}
