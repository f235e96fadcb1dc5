import { isCriticalPod, isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { ContainerRuntime, ContainerStats } from '../cri/runtime.ts'
import type { NodeMachine } from '../node/node-machine.ts'
import { containerNameLabel, podUidLabel } from '../pod-worker/labels.ts'
import type { PodHost } from '../pod-worker/pod-host.ts'
import { evictionMessage } from './messages.ts'
import { PressureConditions } from './pressure.ts'
import { rankForEviction, type Candidate, type PodUsage } from './rank.ts'
import { signalFacts, type MachineReadings, type PressureCondition } from './signals.ts'
import { diskTotal, hasStorageLimit, storageViolation, type PodDiskUse } from './storage-limits.ts'
import { crossedThresholds, type EvictionThreshold } from './thresholds.ts'

/** A pod that can be ended by the node. */
export interface EvictablePod {
  readonly pod: Pod
  /** Ends the pod for good, as failed. Resolves when nothing of it runs any more. */
  evict(message: string, graceSeconds: number): Promise<void>
}

export interface EvictionOptions {
  readonly clock: Clock
  readonly log: Log
  readonly runtime: ContainerRuntime
  readonly machine: NodeMachine
  readonly host: Pick<PodHost, 'diskUse'>
  readonly pods: () => readonly EvictablePod[]
  /** Frees disk without touching pods: images and containers that nobody uses. */
  readonly reclaimDisk: () => Promise<void>
  /** The conditions have changed: the API is to know. */
  readonly onChange: () => void
  /** A pod is about to be evicted: the signal, or upstream's name of the limit. */
  readonly onEvict?: (cause: string) => void
  readonly settings: EvictionSettings
}

/** As in the kubelet configuration. */
export interface EvictionSettings {
  readonly thresholds: readonly EvictionThreshold[]
  /** `evictionPressureTransitionPeriod` */
  readonly transitionPeriodMs: number
  /** `evictionMaxPodGracePeriod`: what containers get at most when a soft threshold is crossed; negative: their own. */
  readonly maximumGraceSeconds: number
  /** Whether pods that write more than they said are ended. */
  readonly enforcesStorageLimits: boolean
}

const intervalMs = 10_000
/** How long one evicted pod may take to end before the next look. */
const longestEndMs = 30_000
/** A container that is told to go while the node starves gets no more time than this. */
const starvingGraceSeconds = 1

/** Watches what the node has left, tells the API of it, and ends pods before the kernel ends everything. */
export class EvictionManager {
  readonly #options: EvictionOptions
  readonly #thresholds: readonly EvictionThreshold[]
  readonly #pressure: PressureConditions
  readonly #crossedSinceMs = new Map<EvictionThreshold, number>()
  #conditions: ReadonlySet<PressureCondition> = new Set()

  constructor(options: EvictionOptions) {
    this.#options = options
    this.#thresholds = options.settings.thresholds
    this.#pressure = new PressureConditions(options.settings.transitionPeriodMs)
  }

  get conditions(): ReadonlySet<PressureCondition> {
    return this.#conditions
  }

  /** Looks every ten seconds until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    while (!signal.aborted) {
      try {
        await this.look()
      } catch (error) {
        if (!signal.aborted) log.warn('eviction not decided', { error })
      }
      await clock.sleep(intervalMs, signal).catch(() => undefined)
    }
  }

  /** One look: conditions, limits that pods set themselves, and at most one eviction for the node's sake. */
  async look(): Promise<void> {
    const { machine } = this.#options
    const readings = await machine.readings()
    const due = this.#observe(readings)
    if ((await this.#enforceLimits()) > 0 || due.length === 0) return
    // Memory first: it is what the kernel kills for.
    const [threshold] = [...due].sort((a, b) => Number(isMemory(b)) - Number(isMemory(a)))
    if (threshold === undefined) return
    if (signalFacts[threshold.signal].condition === 'DiskPressure') {
      await this.#options.reclaimDisk()
      if (crossedThresholds([threshold], await machine.readings(), new Set([threshold])).length === 0) return
    }
    await this.#evictOne(threshold, readings)
  }

  /** The thresholds whose time has come. */
  #observe(readings: MachineReadings): readonly EvictionThreshold[] {
    const nowMs = this.#options.clock.now()
    const known = new Set(this.#crossedSinceMs.keys())
    const crossed = crossedThresholds(this.#thresholds, readings, known)
    for (const before of known) if (!crossed.includes(before)) this.#crossedSinceMs.delete(before)
    for (const threshold of crossed)
      if (!this.#crossedSinceMs.has(threshold)) this.#crossedSinceMs.set(threshold, nowMs)
    const before = this.#conditions
    this.#conditions = this.#pressure.observe(crossed, nowMs)
    if (before.symmetricDifference(this.#conditions).size > 0) this.#options.onChange()
    return crossed.filter(
      (threshold) => nowMs - (this.#crossedSinceMs.get(threshold) ?? nowMs) >= (threshold.gracePeriodMs ?? 0),
    )
  }

  /** Ends pods that have written more than they said they would; resolves to how many. */
  async #enforceLimits(): Promise<number> {
    const limited = this.#candidates().filter(({ pod }) => hasStorageLimit(pod))
    if (limited.length === 0 || !this.#options.settings.enforcesStorageLimits) return 0
    const stats = await this.#statsByPod()
    let evicted = 0
    for (const subject of limited) {
      const use = await this.#diskUse(subject.pod, stats.get(subject.pod.metadata.uid) ?? [])
      const message = storageViolation(subject.pod, use)
      if (message === undefined) continue
      evicted++
      this.#options.onEvict?.('ephemeralpodfs.limit')
      await this.#evict(subject, message)
    }
    return evicted
  }

  async #evictOne(threshold: EvictionThreshold, readings: MachineReadings): Promise<void> {
    const reading = readings[threshold.signal]
    const subjects = this.#candidates()
    const { log, runtime } = this.#options
    if (reading === undefined || subjects.length === 0) return
    log.warn('the node runs out of a resource', { signal: threshold.signal, ...reading })
    const stats = await this.#statsByPod()
    const processes = new Map((await runtime.sandboxStats()).map((each) => [each.podUid, each.processes]))
    const needsDisk = signalFacts[threshold.signal].condition === 'DiskPressure'
    const candidates: (Candidate<EvictablePod> & { readonly disk: PodDiskUse })[] = []
    for (const subject of subjects) {
      const own = stats.get(subject.pod.metadata.uid) ?? []
      const disk = needsDisk ? await this.#diskUse(subject.pod, own) : { volumes: new Map(), containers: new Map() }
      candidates.push({
        subject,
        disk,
        usage: usageOf(subject.pod, own, { disk, processes: processes.get(subject.pod.metadata.uid) ?? 0 }),
      })
    }
    const [first] = rankForEviction(threshold.signal, candidates)
    const chosen = candidates.find(({ subject }) => subject === first)
    if (first === undefined || chosen === undefined) return
    this.#options.onEvict?.(threshold.signal)
    const own = stats.get(first.pod.metadata.uid) ?? []
    const containers = first.pod.spec.containers.map((container) => ({
      container,
      memoryBytes: own.find(({ labels }) => labels[containerNameLabel] === container.name)?.memoryWorkingSetBytes ?? 0,
      diskBytes: chosen.disk.containers.get(container.name) ?? 0,
    }))
    await this.#evict(first, evictionMessage(threshold, reading, containers), this.#graceSeconds(threshold))
  }

  #candidates(): readonly EvictablePod[] {
    return this.#options.pods().filter(({ pod }) => !isPodTerminal(pod) && !isCriticalPod(pod))
  }

  #graceSeconds({ gracePeriodMs = 0 }: EvictionThreshold): number {
    if (gracePeriodMs === 0) return starvingGraceSeconds
    const { maximumGraceSeconds } = this.#options.settings
    return maximumGraceSeconds < 0 ? Infinity : maximumGraceSeconds
  }

  async #evict(subject: EvictablePod, message: string, graceSeconds = starvingGraceSeconds): Promise<void> {
    const { clock, log } = this.#options
    log.info('pod evicted', { pod: subject.pod.metadata.name, why: message })
    await Promise.race([subject.evict(message, graceSeconds), clock.sleep(longestEndMs)])
  }

  async #statsByPod(): Promise<ReadonlyMap<string, readonly ContainerStats[]>> {
    return Map.groupBy(await this.#options.runtime.containerStats(), ({ labels }) => labels[podUidLabel] ?? '')
  }

  async #diskUse(pod: Pod, stats: readonly ContainerStats[]): Promise<PodDiskUse> {
    const { volumes, logs } = await this.#options.host.diskUse(pod)
    const containers = new Map(logs)
    for (const { labels, writableLayerBytes } of stats) {
      const name = labels[containerNameLabel] ?? ''
      containers.set(name, (containers.get(name) ?? 0) + writableLayerBytes)
    }
    return { volumes, containers }
  }
}

function isMemory({ signal }: EvictionThreshold): boolean {
  return signal === 'memory.available'
}

function usageOf(
  pod: Pod,
  stats: readonly ContainerStats[],
  { disk, processes }: { readonly disk: PodDiskUse; readonly processes: number },
): PodUsage {
  return {
    memoryBytes: stats.reduce((sum, each) => sum + each.memoryWorkingSetBytes, 0),
    diskBytes: diskTotal(pod, disk),
    inodes: stats.reduce((sum, each) => sum + each.writableLayerInodes, 0),
    processes,
  }
}
