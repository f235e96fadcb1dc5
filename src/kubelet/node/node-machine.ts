import type { InterfaceStats } from '../cri/runtime.ts'
import type { MachineReadings } from '../eviction/signals.ts'

/** What the kubelet tells about the machine it runs on. Implemented by `linux-machine.ts` and for simulated nodes. */
export interface NodeMachine {
  facts(): Promise<MachineFacts>
  /** What is left of what pods use up. */
  readings(): Promise<MachineReadings>
  /** What everything on the machine uses together. */
  usage(): Promise<MachineUsage>
}

export interface MachineFacts {
  readonly cpus: number
  readonly memoryBytes: number
  readonly ephemeralStorageBytes: number
  /** How many huge pages of each size, in bytes, are set aside; sizes without any too. */
  readonly hugePages: ReadonlyMap<number, number>
  /** 0: none. */
  readonly swapBytes: number
  readonly hasAppArmor: boolean
  readonly machineId: string
  readonly systemUuid: string
  readonly bootId: string
  readonly kernelVersion: string
  readonly osImage: string
  /** In Go's words: `linux`, `amd64`. */
  readonly operatingSystem: string
  readonly architecture: string
  readonly hostname: string
}

export interface MachineUsage {
  readonly bootedAtMs: number
  readonly cpuNanoseconds: number
  readonly memoryUsageBytes: number
  readonly memoryWorkingSetBytes: number
  readonly memoryRssBytes: number
  readonly pageFaults: number
  readonly majorPageFaults: number
  readonly interfaces: readonly InterfaceStats[]
}
