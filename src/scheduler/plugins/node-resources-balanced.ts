import { definePlugin, maxNodeScore, type SchedulerPlugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

export interface NodeResourcesBalancedOptions {
  /** The resources that are to be used to the same degree; default cpu and memory. */
  readonly balancedResources?: readonly string[]
}

/** Prefers nodes whose resources would be used to the same degree: 100 less how far they are apart. */
export function nodeResourcesBalanced({ balancedResources }: NodeResourcesBalancedOptions = {}): SchedulerPlugin {
  const isUsual = balancedResources === undefined || balancedResources.join() === 'cpu,memory'
  return definePlugin({
    name: 'NodeResourcesBalancedAllocation',
    // A pod without requests is the same burden everywhere.
    preFilter: ({ cpu, memory, otherRequests }) =>
      cpu === 0 && memory === 0 && otherRequests.length === 0 ? 'skip' : undefined,
    score: isUsual ? balanceOfTwo : (pod, node) => balanceOf(sharesOf(pod, node, balancedResources)),
    signature: ({ cpu, memory, otherRequests }) => `${cpu},${memory},${JSON.stringify(otherRequests)}`,
    helpedBy: () => false,
  })
}

function balanceOfTwo({ cpu, memory }: PodInfo, node: NodeInfo): number {
  if (node.allocatableCpu === 0 || node.allocatableMemory === 0) return maxNodeScore
  const first = Math.min((node.requestedCpu + cpu) / node.allocatableCpu, 1)
  const second = Math.min((node.requestedMemory + memory) / node.allocatableMemory, 1)
  return Math.floor((1 - Math.abs(first - second) / 2) * maxNodeScore)
}

function sharesOf(pod: PodInfo, node: NodeInfo, resources: readonly string[]): number[] {
  return resources.flatMap((name) => {
    const capacity = node.allocatable[name] ?? 0
    const requested = pod.requests[name] ?? 0
    const isForAll = name === 'cpu' || name === 'memory'
    if (capacity === 0 || (requested === 0 && !isForAll)) return []
    return Math.min((node.requested(name) + requested) / capacity, 1)
  })
}

/** The standard deviation of the shares, which for two is half of their difference. */
function balanceOf(shares: readonly number[]): number {
  if (shares.length < 2) return maxNodeScore
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length
  return Math.floor((1 - Math.sqrt(variance)) * maxNodeScore)
}
