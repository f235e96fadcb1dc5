import { quantityToNumber } from '#api/meta/quantity.ts'
import type { Amount, EvictionSignal, MachineReadings } from './signals.ts'

export interface EvictionThreshold {
  readonly signal: EvictionSignal
  /** A quantity such as `100Mi`, or a share of the capacity such as `10%`. */
  readonly value: string
  /** How long it may last before pods are evicted; absent: not at all. */
  readonly gracePeriodMs?: number
  /** Once crossed, it counts as crossed until so much more is there. */
  readonly minimumReclaim?: string
}

/**
 * Upstream's defaults of `evictionHard`, and one more: a machine without process ids cannot even be looked at, so the
 * last of them are kept.
 */
export const defaultThresholds: readonly EvictionThreshold[] = [
  { signal: 'memory.available', value: '100Mi' },
  { signal: 'nodefs.available', value: '10%' },
  { signal: 'nodefs.inodesFree', value: '5%' },
  { signal: 'imagefs.available', value: '15%' },
  { signal: 'imagefs.inodesFree', value: '5%' },
  { signal: 'pid.available', value: '5%' },
]

export function thresholdAmount({ value }: EvictionThreshold, { capacity }: Amount): number {
  return amountOf(value, capacity)
}

function amountOf(value: string, capacity: number): number {
  return value.endsWith('%') ? (capacity * Number(value.slice(0, -1))) / 100 : quantityToNumber(value)
}

/** The thresholds that the machine is below. `known`: those that it was below before. */
export function crossedThresholds(
  thresholds: readonly EvictionThreshold[],
  readings: MachineReadings,
  known: ReadonlySet<EvictionThreshold> = new Set(),
): readonly EvictionThreshold[] {
  return thresholds.filter((threshold) => {
    const reading = readings[threshold.signal]
    if (reading === undefined) return false
    const reclaim = known.has(threshold) ? amountOf(threshold.minimumReclaim ?? '0', reading.capacity) : 0
    return reading.available < thresholdAmount(threshold, reading) + reclaim
  })
}
