/** What the node runs out of, in the words of the kubelet configuration. */
export type EvictionSignal =
  | 'memory.available'
  | 'nodefs.available'
  | 'nodefs.inodesFree'
  | 'imagefs.available'
  | 'imagefs.inodesFree'
  | 'pid.available'

/** Bytes, inodes or process ids. */
export interface Amount {
  readonly available: number
  readonly capacity: number
}

/** What the machine has of each; a signal that cannot be read is absent. */
export type MachineReadings = Readonly<Partial<Record<EvictionSignal, Amount>>>

export type PressureCondition = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure'

export type SignalResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids'

interface SignalFacts {
  readonly condition: PressureCondition
  /** As messages name it. */
  readonly resource: SignalResource
}

export const signalFacts: Readonly<Record<EvictionSignal, SignalFacts>> = {
  'memory.available': { condition: 'MemoryPressure', resource: 'memory' },
  'nodefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'nodefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'imagefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'imagefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'pid.available': { condition: 'PIDPressure', resource: 'pids' },
}
