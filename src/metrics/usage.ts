import type { NodeReadings, Reading } from './resource-page.ts'

/** What something uses: processor time as a rate over the window that ends at the time, memory at the time. */
export interface Usage {
  readonly timeMs: number
  readonly windowMs: number
  readonly cpuCores: number
  readonly memoryBytes: number
}

/** What the nodes and containers of a cluster use. */
export interface ClusterUsage {
  readonly nodes: ReadonlyMap<string, Usage>
  /** By `namespace/name` of the pod, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Usage>>
}

/** By node. */
export type ClusterReadings = ReadonlyMap<string, NodeReadings>

/** A container that has run for less says nothing by its start alone. */
const freshMs = 10_000

/**
 * What was used between two readings; a container that started in between is measured since its start. Undefined where
 * nothing can be said yet.
 */
function usageBetween(before: Reading | undefined, now: Reading): Usage | undefined {
  const { timeMs, cpuSeconds, memoryBytes, startedAtMs } = now
  const isSameLife = before !== undefined && cpuSeconds >= before.cpuSeconds && !((startedAtMs ?? 0) > before.timeMs)
  const usage = (sinceMs: number, seconds: number): Usage => {
    const windowMs = timeMs - sinceMs
    return { timeMs, windowMs, cpuCores: (seconds * 1_000) / windowMs, memoryBytes }
  }
  if (isSameLife && timeMs > before.timeMs) return usage(before.timeMs, cpuSeconds - before.cpuSeconds)
  return startedAtMs !== undefined && timeMs - startedAtMs >= freshMs ? usage(startedAtMs, cpuSeconds) : undefined
}

/** What a cluster used between two looks at it. A pod counts when all its containers do. */
export function clusterUsage(before: ClusterReadings, now: ClusterReadings): ClusterUsage {
  const nodes = new Map<string, Usage>()
  const pods = new Map<string, ReadonlyMap<string, Usage>>()
  for (const [name, readings] of now) {
    const earlier = before.get(name)
    const ofNode = readings.node && usageBetween(earlier?.node, readings.node)
    if (ofNode !== undefined) nodes.set(name, ofNode)
    for (const [pod, containers] of readings.pods) {
      const used = containersUsage(earlier?.pods.get(pod), containers)
      if (used !== undefined) pods.set(pod, used)
    }
  }
  return { nodes, pods }
}

function containersUsage(
  before: ReadonlyMap<string, Reading> | undefined,
  now: ReadonlyMap<string, Reading>,
): ReadonlyMap<string, Usage> | undefined {
  const used = new Map<string, Usage>()
  for (const [name, reading] of now) {
    const usage = usageBetween(before?.get(name), reading)
    if (usage === undefined) return undefined
    used.set(name, usage)
  }
  return used.size === 0 ? undefined : used
}
