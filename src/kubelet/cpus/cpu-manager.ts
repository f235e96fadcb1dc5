import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ManagerMetrics } from '../metrics/manager-metrics.ts'
import { AdmissionError, allocationFailure } from '../topology/admission-error.ts'
import { hintsBy, type NodeSet, type ResourceHints, type TopologyHint } from '../topology/hint.ts'
import { allCpus, cpusOfNodes, threadsPerCore, type MachineTopology } from '../topology/machine-topology.ts'
import type { AdmittedContainer, ResourceManager } from '../topology/resource-manager.ts'
import type { StateFile } from '../topology/state-file.ts'
import type { CpuSet } from './cpu-list.ts'
import { formatCpuState, parseCpuState, type CpuState } from './cpu-state.ts'
import { exclusiveCpus, podExclusiveCpus } from './exclusive-cpus.ts'
import { distributeCpus, takeCpus } from './take-cpus.ts'

export interface CpuPolicyOptions {
  /** Containers only get whole cores. */
  readonly fullCoresOnly: boolean
  /** Not even the shared pool has the reserved processors. */
  readonly strictReservation: boolean
  /** What does not fit in one NUMA node is spread evenly. */
  readonly distributesAcrossNodes: boolean
  /** Processors that share their last level of cache go together. */
  readonly prefersCaches: boolean
}

export interface CpuManagerOptions {
  readonly topology: MachineTopology
  /** Never given to a container alone. */
  readonly reserved: CpuSet
  readonly policy: CpuPolicyOptions
  readonly file: Pick<StateFile, 'path' | 'read' | 'save' | 'saved'>
  readonly metrics: Pick<ManagerMetrics, 'cpuRequests' | 'cpuErrors'>
  /** Somebody has other processors than before. */
  readonly onChange: () => void
}

/** The static policy: whole processors for containers of guaranteed pods, the rest for everybody else. */
export class CpuManager implements ResourceManager {
  readonly #options: CpuManagerOptions
  #state: CpuState
  /** By pod uid: what its init containers have and leave to those after them. */
  readonly #reusable = new Map<string, CpuSet>()

  constructor(options: CpuManagerOptions) {
    this.#options = options
    const { topology, reserved, policy } = options
    const all = allCpus(topology)
    this.#state = { shared: policy.strictReservation ? all.difference(reserved) : all, exclusive: new Map() }
  }

  /** Throws when what earlier runs gave out cannot be read, or is not of this machine. */
  async load(): Promise<void> {
    const { file, topology, reserved, policy } = this.#options
    const text = await file.read()
    if (text === undefined) return file.save(formatCpuState(this.#state))
    try {
      const rules = { all: allCpus(topology), reserved, isStrict: policy.strictReservation }
      this.#state = parseCpuState(text, rules)
    } catch (error) {
      throw new Error(
        `could not restore state from checkpoint: ${error instanceof Error ? error.message : String(error)}, please drain this node and delete the CPU manager checkpoint file "${file.path}" before restarting Kubelet`,
        { cause: error },
      )
    }
  }

  /** The processors that a container may run on. */
  cpusOf(podUid: string, container: string): CpuSet {
    return this.#state.exclusive.get(podUid)?.get(container) ?? this.#state.shared
  }

  /** How many processors are given out alone, and how many are left for everybody. */
  get counts(): { readonly exclusive: number; readonly shared: number } {
    const given = [...this.#state.exclusive.values()].flatMap((containers) => [...containers.values()])
    return { exclusive: new Set(given.flatMap((cpus) => [...cpus])).size, shared: this.#state.shared.size }
  }

  get holders(): Iterable<string> {
    return this.#state.exclusive.keys()
  }

  begin(livePods: ReadonlySet<string>): void {
    for (const uid of this.#state.exclusive.keys()) if (!livePods.has(uid)) this.release(uid)
  }

  /** The pod has ended: what it had is everybody's again. */
  release(podUid: string): void {
    this.#reusable.delete(podUid)
    const given = this.#state.exclusive.get(podUid)
    if (given === undefined) return
    const freed = [...given.values()].flatMap((cpus) => [...cpus])
    const exclusive = new Map(this.#state.exclusive)
    exclusive.delete(podUid)
    this.#become({ shared: this.#state.shared.union(new Set(freed)), exclusive })
  }

  containerHints({ pod, container }: AdmittedContainer): ResourceHints {
    const count = exclusiveCpus(pod, container)
    if (count === 0) return {}
    const known = this.#state.exclusive.get(pod.metadata.uid)?.get(container.name)
    return { cpu: known === undefined ? this.#hints(pod, count) : this.#hintsOf(known) }
  }

  podHints(pod: Pod): ResourceHints {
    const count = podExclusiveCpus(pod)
    if (count === 0) return {}
    const known = this.#state.exclusive.get(pod.metadata.uid)
    if (known === undefined) return { cpu: this.#hints(pod, count) }
    return { cpu: this.#hintsOf(new Set([...known.values()].flatMap((cpus) => [...cpus]))) }
  }

  async allocate({ pod, container, kind }: AdmittedContainer, nodes: NodeSet | undefined): Promise<void> {
    const { uid } = pod.metadata
    const count = exclusiveCpus(pod, container)
    if (count === 0) return
    const reusable = this.#reusableOf(pod)
    const given =
      this.#state.exclusive.get(uid)?.get(container.name) ?? this.#counted(() => this.#choose(pod, count, nodes))
    this.#reusable.set(uid, kind === 'init' ? reusable.union(given) : reusable.difference(given))
    this.#give(pod, container, given)
  }

  saved(): Promise<void> {
    return this.#options.file.saved()
  }

  #counted(choose: () => CpuSet): CpuSet {
    const { metrics } = this.#options
    metrics.cpuRequests.add()
    try {
      return choose()
    } catch (error) {
      metrics.cpuErrors.add()
      throw error
    }
  }

  #choose(pod: Pod, count: number, nodes: NodeSet | undefined): CpuSet {
    const { topology, policy } = this.#options
    const free = this.#freeFor(pod)
    if (policy.fullCoresOnly) checkCores(topology, free, count)
    if (free.size < count)
      throw allocationFailure(
        `not enough cpus available to satisfy request: requested=${count}, available=${free.size}`,
      )
    const near = nodes === undefined ? free : cpusOfNodes(topology, nodes).intersection(free)
    // What init containers had comes first, so that the pod takes no more than it needs at once.
    const again = this.#reusableOf(pod)
    const reused = again.size <= count ? again : takeCpus(topology, again, count, policy)
    const wanted = count - reused.size
    const first = this.#take(near.difference(reused), Math.min(wanted, near.difference(reused).size))
    const beyond = this.#take(free.difference(reused).difference(first), wanted - first.size)
    return reused.union(first).union(beyond)
  }

  #take(free: CpuSet, count: number): CpuSet {
    const { topology, policy } = this.#options
    if (!policy.distributesAcrossNodes) return takeCpus(topology, free, count, policy)
    return distributeCpus(topology, free, { count, groupSize: policy.fullCoresOnly ? threadsPerCore(topology) : 1 })
  }

  #give({ metadata }: Pod, { name }: Container, cpus: CpuSet): void {
    const { shared, exclusive } = this.#state
    const own = new Map([...(exclusive.get(metadata.uid) ?? []), [name, cpus] as const])
    this.#become({ shared: shared.difference(cpus), exclusive: new Map([...exclusive, [metadata.uid, own] as const]) })
  }

  #become(state: CpuState): void {
    this.#state = state
    this.#options.file.save(formatCpuState(state))
    this.#options.onChange()
  }

  #freeFor(pod: Pod): CpuSet {
    return this.#state.shared.difference(this.#options.reserved).union(this.#reusableOf(pod))
  }

  #reusableOf({ metadata }: Pod): CpuSet {
    return this.#reusable.get(metadata.uid) ?? new Set()
  }

  #hints(pod: Pod, count: number): readonly TopologyHint[] {
    const { topology } = this.#options
    const reusable = this.#reusableOf(pod)
    const free = this.#freeFor(pod)
    return hintsBy({
      nodes: topology.nodes.map(({ id }) => id),
      couldDo: (nodes) => cpusOfNodes(topology, nodes).size >= count,
      canDo: (nodes) => {
        const near = cpusOfNodes(topology, nodes)
        return reusable.isSubsetOf(near) && near.intersection(free).size >= count
      },
    })
  }

  /** Of what a container has already: the nodes it is on and all sets with them in it. */
  #hintsOf(known: CpuSet): readonly TopologyHint[] {
    const { topology } = this.#options
    return hintsBy({
      nodes: topology.nodes.map(({ id }) => id),
      couldDo: (nodes) => cpusOfNodes(topology, nodes).size >= known.size,
      canDo: (nodes) => known.isSubsetOf(cpusOfNodes(topology, nodes)),
    })
  }
}

/** Throws when the container would have to share a core. */
function checkCores(topology: MachineTopology, free: CpuSet, count: number): void {
  const threads = threadsPerCore(topology)
  if (count % threads !== 0) {
    const message = `SMT Alignment Error: requested ${count} cpus not multiple cpus per core = ${threads}`
    throw new AdmissionError('SMTAlignmentError', message)
  }
  const cores = [...Map.groupBy(topology.cpus, ({ core }) => core).values()]
  const physical = cores.filter((core) => core.every(({ cpu }) => free.has(cpu))).length * threads
  if (physical >= count) return
  const message = `SMT Alignment Error: not enough free physical CPUs: available physical CPUs = ${physical}, requested CPUs = ${count}, CPUs per core = ${threads}`
  throw new AdmissionError('SMTAlignmentError', message)
}
