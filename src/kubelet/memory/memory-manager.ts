import { computePodQosClass } from '#api/core/v1/pod-qos.ts'
import { addAmounts, maxAmounts, resourceAmounts, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ManagerMetrics } from '../metrics/manager-metrics.ts'
import { allocationFailure } from '../topology/admission-error.ts'
import { hintsBy, type NodeSet, type ResourceHints, type TopologyHint } from '../topology/hint.ts'
import { containersInOrder, type AdmittedContainer, type ResourceManager } from '../topology/resource-manager.ts'
import type { StateFile } from '../topology/state-file.ts'
import {
  allBlocks,
  formatMemoryState,
  freeBytes,
  parseMemoryState,
  type MachineMemory,
  type MemoryBlock,
  type MemoryBlocks,
} from './memory-state.ts'

export interface MemoryManagerOptions {
  readonly machine: MachineMemory
  readonly metrics: Pick<ManagerMetrics, 'memoryRequests' | 'memoryErrors'>
  readonly file: Pick<StateFile, 'path' | 'read' | 'save' | 'saved'>
}

/** The static policy: memory and huge pages of guaranteed pods come from as few NUMA nodes as have them. */
export class MemoryManager implements ResourceManager {
  readonly #options: MemoryManagerOptions
  #blocks: MemoryBlocks = new Map()
  /** By pod uid: the init containers whose memory is left to those after them. */
  readonly #finished = new Map<string, Set<string>>()

  constructor(options: MemoryManagerOptions) {
    this.#options = options
  }

  /** Throws when what earlier runs gave out cannot be read, or is not of this machine. */
  async load(): Promise<void> {
    const { file, machine } = this.#options
    const text = await file.read()
    if (text === undefined) return file.save(formatMemoryState(machine, this.#blocks))
    try {
      this.#blocks = parseMemoryState(text, machine)
    } catch (error) {
      throw new Error(
        `could not restore state from checkpoint: ${error instanceof Error ? error.message : String(error)}, please drain this node and delete the memory manager checkpoint file "${file.path}" before restarting Kubelet`,
        { cause: error },
      )
    }
  }

  /** The NUMA nodes that a container's memory comes from; undefined: from any. */
  nodesOf(podUid: string, container: string): NodeSet | undefined {
    const blocks = this.#blocks.get(podUid)?.get(container)
    return blocks && new Set(blocks.flatMap(({ nodes }) => nodes))
  }

  get holders(): Iterable<string> {
    return this.#blocks.keys()
  }

  begin(livePods: ReadonlySet<string>): void {
    for (const uid of this.#blocks.keys()) if (!livePods.has(uid)) this.release(uid)
  }

  release(podUid: string): void {
    this.#finished.delete(podUid)
    if (!this.#blocks.has(podUid)) return
    const blocks = new Map(this.#blocks)
    blocks.delete(podUid)
    this.#become(blocks)
  }

  containerHints({ pod, container }: AdmittedContainer): ResourceHints {
    const known = this.nodesOf(pod.metadata.uid, container.name)
    return this.#hintsFor(pod, requestedMemory(pod, container), known)
  }

  podHints(pod: Pod): ResourceHints {
    const known = [...(this.#blocks.get(pod.metadata.uid)?.values() ?? [])].flat().flatMap(({ nodes }) => nodes)
    return this.#hintsFor(pod, podMemory(pod), known.length === 0 ? undefined : new Set(known))
  }

  async allocate({ pod, container, kind }: AdmittedContainer, place: NodeSet | undefined): Promise<void> {
    const { uid } = pod.metadata
    const wanted = requestedMemory(pod, container)
    if (Object.keys(wanted).length > 0 && this.nodesOf(uid, container.name) === undefined)
      this.#give(pod, container, { wanted, nodes: [...this.#choose(pod, wanted, place)].toSorted((a, b) => a - b) })
    if (kind === 'init') this.#finished.set(uid, (this.#finished.get(uid) ?? new Set()).add(container.name))
  }

  saved(): Promise<void> {
    return this.#options.file.saved()
  }

  #hintsFor(pod: Pod, wanted: ResourceAmounts, known: NodeSet | undefined): ResourceHints {
    const hints = known === undefined ? this.#hints(pod, wanted) : [{ nodes: known, isPreferred: true }]
    return Object.fromEntries(Object.keys(wanted).map((type) => [type, hints]))
  }

  #hints(pod: Pod, wanted: ResourceAmounts): readonly TopologyHint[] {
    const { machine } = this.#options
    const has = (nodes: NodeSet, blocks: readonly MemoryBlock[]): boolean =>
      Object.entries(wanted).every(([type, bytes]) => freeBytes(machine, blocks, { nodes, type }) >= bytes)
    const taken = this.#takenFrom(pod)
    return hintsBy({
      nodes: [...machine.keys()],
      couldDo: (nodes) => has(nodes, []),
      canDo: (nodes) => has(nodes, taken),
    })
  }

  /** The place that was decided on, or a wider one around it where it does not do. */
  #choose(pod: Pod, wanted: ResourceAmounts, place: NodeSet | undefined): NodeSet {
    const { metrics } = this.#options
    metrics.memoryRequests.add()
    const around = this.#hints(pod, wanted).filter(
      ({ nodes }) => nodes !== undefined && (place?.isSubsetOf(nodes) ?? true),
    )
    const best = around.find(({ isPreferred }) => isPreferred) ?? around[0]
    if (best?.nodes !== undefined) return best.nodes
    metrics.memoryErrors.add()
    throw allocationFailure(
      place === undefined
        ? '[memorymanager] failed to get the default NUMA affinity, no NUMA nodes with enough memory is available'
        : '[memorymanager] failed to find NUMA nodes to extend the current topology hint',
    )
  }

  #give(
    pod: Pod,
    { name }: Container,
    { wanted, nodes }: { readonly wanted: ResourceAmounts; readonly nodes: readonly number[] },
  ): void {
    const own = new Map(this.#blocks.get(pod.metadata.uid))
    const given = Object.entries(wanted).map(([type, bytes]): MemoryBlock => ({ nodes, type, bytes }))
    for (const block of given) this.#reuse(pod, own, block)
    own.set(name, given)
    this.#become(new Map([...this.#blocks, [pod.metadata.uid, own] as const]))
  }

  /** What init containers have counts as part of what comes after them: their blocks shrink by it. */
  #reuse(pod: Pod, own: Map<string, readonly MemoryBlock[]>, given: MemoryBlock): void {
    let left = given.bytes
    for (const container of this.#finished.get(pod.metadata.uid) ?? []) {
      const blocks = (own.get(container) ?? []).map((block) => {
        if (block.type !== given.type || block.nodes.join() !== given.nodes.join()) return block
        const shared = Math.min(left, block.bytes)
        left -= shared
        return { ...block, bytes: block.bytes - shared }
      })
      own.set(container, blocks)
    }
  }

  /** What others have, and what containers of the pod have that run beside those to come. */
  #takenFrom({ metadata }: Pod): readonly MemoryBlock[] {
    const finished = this.#finished.get(metadata.uid) ?? new Set()
    const own = new Map([...(this.#blocks.get(metadata.uid) ?? [])].filter(([name]) => !finished.has(name)))
    return allBlocks(new Map([...this.#blocks, [metadata.uid, own] as const]))
  }

  #become(blocks: MemoryBlocks): void {
    this.#blocks = blocks
    this.#options.file.save(formatMemoryState(this.#options.machine, blocks))
  }
}

/** Memory and huge pages that the container of a guaranteed pod asks for, in bytes. */
function requestedMemory({ spec }: Pod, { resources }: Container): ResourceAmounts {
  if (spec.resources !== undefined || computePodQosClass(spec) !== 'Guaranteed') return {}
  const amounts = resourceAmounts({ ...resources?.limits, ...resources?.requests })
  return Object.fromEntries(
    Object.entries(amounts).filter(
      ([type, bytes]) => (type === 'memory' || type.startsWith('hugepages-')) && bytes > 0,
    ),
  )
}

function podMemory(pod: Pod): ResourceAmounts {
  let lasting: ResourceAmounts = {}
  let peak: ResourceAmounts = {}
  for (const { container, kind } of containersInOrder(pod)) {
    const own = requestedMemory(pod, container)
    if (kind === 'lasting') lasting = addAmounts(lasting, own)
    else peak = maxAmounts(peak, addAmounts(lasting, own))
  }
  return maxAmounts(peak, lasting)
}
