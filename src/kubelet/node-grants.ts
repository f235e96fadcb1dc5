import { join } from 'node:path'
import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import { computePodQosClass } from '#api/core/v1/pod-qos.ts'
import { quantityOf } from '#api/meta/quantity.ts'
import type { Container, Pod, ResourceStatus } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import type { KubeletSettings } from './configuration/kubelet-settings.ts'
import { formatCpuList, type CpuSet } from './cpus/cpu-list.ts'
import { CpuManager } from './cpus/cpu-manager.ts'
import { CpuReconciler } from './cpus/cpu-reconciler.ts'
import { policyOfState } from './cpus/cpu-state.ts'
import { takeCpus } from './cpus/take-cpus.ts'
import type { ContainerGrants, ContainerPlacement } from './devices/container-grants.ts'
import type { GrantSource } from './devices/grant-source.ts'
import type { NodeDevices } from './devices/node-devices.ts'
import type { KubeletOptions } from './kubelet-options.ts'
import { machineMemory } from './memory/machine-memory.ts'
import { MemoryManager } from './memory/memory-manager.ts'
import type { ManagerMetrics } from './metrics/manager-metrics.ts'
import type { MachineFacts } from './node/node-machine.ts'
import { keptFree } from './node/node-resources.ts'
import type { PodHost } from './pod-worker/pod-host.ts'
import type { PodWorkers } from './pod-worker/pod-workers.ts'
import { allCpus, type MachineTopology } from './topology/machine-topology.ts'
import { readTopology } from './topology/read-topology.ts'
import type { ResourceManager } from './topology/resource-manager.ts'
import { StateFile } from './topology/state-file.ts'
import { TopologyManager } from './topology/topology-manager.ts'

export interface NodeGrantsInput {
  readonly facts: MachineFacts
  readonly topology: MachineTopology
  readonly devices: NodeDevices
  readonly workers: () => PodWorkers
  readonly metrics: ManagerMetrics
}

type GrantOptions = Pick<KubeletOptions, 'effects' | 'log' | 'runtime' | 'clock'> & {
  readonly settings: KubeletSettings
}

/** How processors and memory lie together; without any, where nobody asks for it. */
export async function nodeTopology({ effects, settings }: GrantOptions, facts: MachineFacts): Promise<MachineTopology> {
  const { cpus, memory, topology } = settings.policies
  if (cpus === undefined && memory === undefined && topology.policy === 'none') return { cpus: [], nodes: [] }
  if (effects.system === undefined) throw new Error('the topology of this machine is not known')
  const found = await readTopology(effects.system, facts.memoryBytes)
  if (found.nodes.length <= topology.maximumNodes) return found
  throw new Error(`unsupported on machines with more than ${topology.maximumNodes} NUMA Nodes`)
}

/**
 * Everything of the node that is given to one container alone: devices, processors, memory of NUMA nodes. Throws when
 * what earlier runs gave out cannot be taken up.
 */
export async function createNodeGrants(options: GrantOptions, input: NodeGrantsInput): Promise<NodeGrants> {
  const { settings, log, effects } = options
  const { topology, facts, metrics } = input
  const fileOf = (name: string): StateFile => new StateFile(join(effects.rootDir ?? '', name), log)
  const [cpuFile, memoryFile] = [fileOf('cpu_manager_state'), fileOf('memory_manager_state')]
  const { cpus: cpuPolicy, memory: memoryPolicy } = settings.policies
  await Promise.all([
    checkPolicy(cpuFile, cpuPolicy ? 'static' : 'none'),
    checkPolicy(memoryFile, memoryPolicy ? 'Static' : 'None'),
  ])
  const reserved = cpuPolicy && reservedCpus(topology, settings)
  const onChange = (): void => grants.reconcile()
  const cpus =
    reserved && cpuPolicy && new CpuManager({ topology, reserved, policy: cpuPolicy, file: cpuFile, metrics, onChange })
  const memory =
    memoryPolicy && new MemoryManager({ machine: memoryOf(topology, settings, facts), metrics, file: memoryFile })
  const grants = new NodeGrants(options, { ...input, cpus, memory })
  await Promise.all([cpus?.load(), memory?.load()])
  return grants
}

interface NodeGrantsParts extends NodeGrantsInput {
  readonly cpus: CpuManager | undefined
  readonly memory: MemoryManager | undefined
}

/** What `createNodeGrants` makes. */
export class NodeGrants implements GrantSource {
  readonly #parts: NodeGrantsParts
  readonly #clock: Clock
  readonly #managers: readonly (ResourceManager & { release(podUid: string): void })[]
  readonly #placement: TopologyManager
  readonly #reconciler: CpuReconciler | undefined
  #isStarted = false
  #turn: Promise<void> = Promise.resolve()

  constructor({ settings, runtime, log, clock }: GrantOptions, parts: NodeGrantsParts) {
    this.#parts = parts
    this.#clock = clock
    const { cpus, memory, devices, topology, workers } = parts
    const managers = (this.#managers = [cpus, memory, devices.manager].filter((each) => each !== undefined))
    this.#placement = new TopologyManager({ settings: settings.policies.topology, nodes: topology.nodes, managers })
    const cpusOf = (uid: string, container: string): CpuSet => cpus?.cpusOf(uid, container) ?? new Set()
    this.#reconciler = cpus && new CpuReconciler({ runtime, log, workers, cpusOf })
  }

  get devices(): NodeDevices {
    return this.#parts.devices
  }

  /** What is given out now, for `/metrics`; nothing where nobody has processors of his own. */
  readMetrics(): readonly MetricFamily[] {
    const counts = this.#parts.cpus?.counts
    if (counts === undefined) return []
    const gauge = (name: string, help: string, value: number): MetricFamily => {
      return { name, help, type: 'gauge', samples: [{ labels: {}, value }] }
    }
    const sharedHelp = 'The size of the shared CPU pool for non-guaranteed QoS pods, in millicores.'
    const exclusiveHelp = 'The total number of CPUs exclusively allocated to containers running on this node'
    return [
      gauge('kubelet_cpu_manager_shared_pool_size_millicores', sharedHelp, counts.shared * 1000),
      gauge('kubelet_cpu_manager_exclusive_cpu_allocation_count', exclusiveHelp, counts.exclusive),
    ]
  }

  /** All pods of the node have workers: what others have is free, and containers run where they may. */
  async start(): Promise<void> {
    this.#isStarted = true
    const live = this.#livePods()
    const { devices, workers } = this.#parts
    for (const manager of this.#managers) manager.begin(live)
    if (this.#reconciler) workers().onLook((podUid) => this.#reconciler?.one(podUid))
    this.reconcile()
    await devices.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#parts.devices.stop(), this.#reconciler?.settled()])
    await Promise.all(this.#managers.map((manager) => manager.saved()))
  }

  /** Pods take turns: what one gets is decided before the next is looked at. */
  reserve(pod: Pod): Promise<void> {
    const mine = this.#turn.then(() => this.#admit(pod))
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async grant(pod: Pod, container: Container): Promise<ContainerGrants> {
    return { ...(await this.#parts.devices.grants.grant(pod, container)), ...this.#placementOf(pod, container) }
  }

  health(pod: Pod, container: Container): readonly ResourceStatus[] {
    return this.#parts.devices.grants.health(pod, container)
  }

  prepare(pod: Pod): Promise<void> {
    return this.#parts.devices.grants.prepare(pod)
  }

  /** The same host, which lets go of everything that a pod has before it cleans up after the pod. */
  guard(host: PodHost): PodHost {
    const inner = this.#parts.devices.guard(host)
    return {
      ...inner,
      cleanUp: async (pod, how) => {
        for (const manager of this.#managers) manager.release(pod.uid)
        await inner.cleanUp(pod, how)
      },
    }
  }

  resizeRefusal(pod: Pod): string | undefined {
    const { cpus, memory } = this.#parts
    if (computePodQosClass(pod.spec) !== 'Guaranteed') return undefined
    if (cpus) return 'Resize is infeasible for Guaranteed Pods alongside CPU Manager static policy'
    return memory && 'Resize is infeasible for Guaranteed Pods alongside Memory Manager static policy'
  }

  /** Tells containers that run which processors are theirs now. */
  reconcile(): void {
    if (this.#isStarted) this.#reconciler?.all()
  }

  async #admit(pod: Pod): Promise<void> {
    const { metrics } = this.#parts
    const startedMs = this.#clock.monotonic()
    metrics.admissions.add()
    try {
      await this.#placement.admit(pod, this.#livePods().add(pod.metadata.uid))
    } catch (error) {
      metrics.admissionErrors.add()
      throw error
    } finally {
      metrics.admissionMs.observe(this.#clock.monotonic() - startedMs)
    }
  }

  #placementOf({ metadata }: Pod, { name }: Container): { readonly placement?: ContainerPlacement } {
    const { cpus, memory } = this.#parts
    const nodes = memory?.nodesOf(metadata.uid, name)
    if (cpus === undefined && nodes === undefined) return {}
    const placement = {
      ...(cpus && { cpusetCpus: formatCpuList(cpus.cpusOf(metadata.uid, name)) }),
      ...(nodes && { cpusetMems: formatCpuList(nodes) }),
    }
    return { placement }
  }

  /** Before all pods are known, those that are written down count too. */
  #livePods(): Set<string> {
    const known = this.#parts
      .workers()
      .list()
      .filter(({ pod }) => !isPodTerminal(pod))
      .map(({ pod }) => pod.metadata.uid)
    const written = this.#isStarted ? [] : this.#managers.flatMap(({ holders }) => [...holders])
    return new Set([...known, ...written])
  }
}

/** What was given out under another policy is not understood by this one. */
async function checkPolicy(file: StateFile, policy: string): Promise<void> {
  const text = await file.read()
  if (text === undefined) return
  const written = policyOfState(text)
  if (written === policy) return
  throw new Error(
    `could not restore state from checkpoint: configured policy "${policy}" differs from state checkpoint policy "${written}", please drain this node and delete the checkpoint file "${file.path}" before restarting Kubelet`,
  )
}

/** Those that the configuration names, or as many of the first cores as are reserved. */
function reservedCpus(topology: MachineTopology, { policies, reserved }: KubeletSettings): CpuSet {
  const named = policies.cpus?.reserved
  const all = allCpus(topology)
  if (named !== undefined) {
    if (named.isSubsetOf(all)) return named
    throw new Error(
      `[cpumanager] unable to reserve the required amount of CPUs (${formatCpuList(named)} of ${formatCpuList(all)})`,
    )
  }
  const count = Math.ceil((reserved['cpu'] ?? 0) / 1000)
  if (count === 0)
    throw new Error(
      '[cpumanager] the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero',
    )
  return takeCpus(topology, all, count)
}

/** The nodes' reservations must come to what the whole machine keeps back. */
function memoryOf(
  topology: MachineTopology,
  settings: KubeletSettings,
  facts: MachineFacts,
): ReturnType<typeof machineMemory> {
  const reservations = settings.policies.memory?.reserved ?? []
  const kept = (settings.reserved['memory'] ?? 0) + keptFree('memory.available', facts.memoryBytes, settings)
  const types = new Set(['memory', ...reservations.flatMap(({ amounts }) => Object.keys(amounts))])
  for (const type of types) {
    const expected = type === 'memory' ? kept : (settings.reserved[type] ?? 0)
    const total = reservations.reduce((sum, { amounts }) => sum + (amounts[type] ?? 0), 0)
    if (total === expected) continue
    const [is, should] = [total, expected].map((bytes) => quantityOf(bytes, 'BinarySI'))
    throw new Error(
      `the total amount "${is}" of type "${type}" is not equal to the value "${should}" determined by Node Allocatable feature`,
    )
  }
  return machineMemory(topology, reservations)
}
