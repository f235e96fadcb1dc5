import type { MachineFacts } from './node-machine.ts'

export const maximumPods = 110
/** What eviction keeps free; pods cannot have it. */
const reservedMemoryBytes = 100 * 1024 * 1024
const reservedStorage = 0.1

type Quantities = Readonly<Record<string, string>>

/** All that the machine has. */
export function nodeCapacity(facts: MachineFacts): Quantities {
  return {
    cpu: String(facts.cpus),
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    'ephemeral-storage': `${Math.floor(facts.ephemeralStorageBytes / 1024)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    pods: String(maximumPods),
  }
}

/** What is left for pods. */
export function nodeAllocatable(facts: MachineFacts): Quantities {
  return {
    ...nodeCapacity(facts),
    memory: `${Math.max(0, Math.floor((facts.memoryBytes - reservedMemoryBytes) / 1024))}Ki`,
    'ephemeral-storage': String(Math.floor(facts.ephemeralStorageBytes * (1 - reservedStorage))),
  }
}
