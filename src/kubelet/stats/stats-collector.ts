import type { Clock } from '#lib/clock.ts'
import type { MachineReadings } from '../eviction/signals.ts'
import type { ContainerRuntime, ContainerStats, ImageFileSystem, SandboxStats } from '../cri/runtime.ts'
import type { MachineUsage, NodeMachine } from '../node/node-machine.ts'
import { podUidLabel } from '../pod-worker/labels.ts'

/** What the node and everything on it use at one moment. */
export interface NodeSnapshot {
  readonly timeMs: number
  readonly usage: MachineUsage
  /** CPU of the whole node since the look before. */
  readonly cpuNanoCores: number
  readonly readings: MachineReadings
  readonly images: ImageFileSystem | undefined
  /** By pod uid. */
  readonly containers: ReadonlyMap<string, readonly ContainerStats[]>
  readonly sandboxes: ReadonlyMap<string, SandboxStats>
}

export interface StatsCollectorOptions {
  readonly clock: Clock
  readonly runtime: ContainerRuntime
  readonly machine: NodeMachine
}

interface CpuSample {
  readonly timeMs: number
  readonly nanoseconds: number
}

const listAttempts = 3
/** Rates over less than this say nothing. */
const shortestRateMs = 500

/** Measures on request. Rates are over the time since the request before. */
export class StatsCollector {
  readonly #options: StatsCollectorOptions
  #samples = new Map<string, CpuSample>()
  #rates = new Map<string, number>()
  #running: Promise<NodeSnapshot> | undefined

  constructor(options: StatsCollectorOptions) {
    this.#options = options
  }

  /** Whoever asks while a measurement is under way gets its result. */
  collect(): Promise<NodeSnapshot> {
    this.#running ??= this.#measure().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #measure(): Promise<NodeSnapshot> {
    const { clock, runtime, machine } = this.#options
    const [usage, readings, images, containers, sandboxes] = await Promise.all([
      machine.usage(),
      machine.readings(),
      runtime.imageFileSystem().catch(() => undefined),
      patiently(() => runtime.containerStats()),
      patiently(() => runtime.sandboxStats()).catch(() => []),
    ])
    const timeMs = clock.now()
    const kept = new Map<string, CpuSample>()
    const rate = (id: string, sample: CpuSample): number => {
      const before = this.#samples.get(id)
      const isUsable = before !== undefined && sample.timeMs - before.timeMs < shortestRateMs
      kept.set(id, isUsable ? before : sample)
      const value = isUsable ? (this.#rates.get(id) ?? 0) : rateBetween(before, sample)
      this.#rates.set(id, value)
      return value
    }
    const cpuNanoCores = rate('', { timeMs, nanoseconds: usage.cpuNanoseconds })
    const measured = containers.map((each) => ({
      ...each,
      cpuUsageNanoCores: rate(each.id, { timeMs: each.timestampMs, nanoseconds: each.cpuUsageNanoseconds }),
    }))
    this.#samples = kept
    for (const id of this.#rates.keys()) if (!kept.has(id)) this.#rates.delete(id)
    return {
      timeMs,
      usage,
      cpuNanoCores,
      readings,
      images,
      containers: Map.groupBy(measured, ({ labels }) => labels[podUidLabel] ?? ''),
      sandboxes: new Map(sandboxes.map((sandbox) => [sandbox.podUid, sandbox])),
    }
  }
}

/** containerd fails the whole list when one of its entries ends meanwhile; the next list is without it. */
async function patiently<T>(list: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await list()
    } catch (error) {
      if (attempt === listAttempts) throw error
    }
  }
}

/** Nanocores: nanoseconds of CPU for each second. */
function rateBetween(before: CpuSample | undefined, { timeMs, nanoseconds }: CpuSample): number {
  if (before === undefined || timeMs <= before.timeMs || nanoseconds < before.nanoseconds) return 0
  return Math.round(((nanoseconds - before.nanoseconds) / (timeMs - before.timeMs)) * 1000)
}
