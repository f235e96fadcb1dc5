import { quantityOf, quantityOfMilli } from '#api/meta/quantity.ts'
import type { KubeletSettings } from '../configuration/kubelet-settings.ts'
import type { EvictionSignal } from '../eviction/signals.ts'
import { thresholdAmount } from '../eviction/thresholds.ts'
import { hugePageResource } from './huge-pages.ts'
import type { MachineFacts } from './node-machine.ts'

type Quantities = Readonly<Record<string, string>>

/** All that the machine has. */
export function nodeCapacity(facts: MachineFacts, settings: KubeletSettings): Quantities {
  const { maximumPods, podsPerCpu } = settings
  return {
    cpu: String(facts.cpus),
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    ...(settings.isolatesLocalStorage && {
      'ephemeral-storage': `${Math.floor(facts.ephemeralStorageBytes / 1024)}Ki`,
    }),
    ...Object.fromEntries(
      [...facts.hugePages].map(([size, count]) => [hugePageResource(size), quantityOf(size * count, 'BinarySI')]),
    ),
    pods: String(podsPerCpu > 0 ? Math.min(maximumPods, podsPerCpu * facts.cpus) : maximumPods),
  }
}

/** What is left for pods when the system has its share and eviction keeps free what it must. */
export function nodeAllocatable(facts: MachineFacts, settings: KubeletSettings): Quantities {
  const { reserved, isolatesLocalStorage } = settings
  const left = (capacity: number, name: string, signal: EvictionSignal): number =>
    Math.max(0, capacity - (reserved[name] ?? 0) - keptFree(signal, capacity, settings))
  // Huge pages are set aside from memory, whether anybody uses them or not.
  const setAside = [...facts.hugePages].reduce((sum, [size, count]) => sum + size * count, 0)
  const memoryBytes = Math.max(0, left(facts.memoryBytes, 'memory', 'memory.available') - setAside)
  const milliCpu = Math.max(0, facts.cpus * 1000 - (reserved['cpu'] ?? 0))
  return {
    ...nodeCapacity(facts, settings),
    cpu: quantityOfMilli(milliCpu),
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    ...(isolatesLocalStorage && {
      'ephemeral-storage': String(
        Math.floor(left(facts.ephemeralStorageBytes, 'ephemeral-storage', 'nodefs.available')),
      ),
    }),
  }
}

/** What eviction keeps free of so much capacity. */
export function keptFree(signal: EvictionSignal, capacity: number, { eviction }: KubeletSettings): number {
  const hard = eviction.thresholds.find((each) => each.signal === signal && (each.gracePeriodMs ?? 0) === 0)
  return hard === undefined ? 0 : thresholdAmount(hard, { available: capacity, capacity })
}
