import type { ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { definePlugin, maxNodeScore } from '../framework.ts'
import { shareOf } from '../node-info.ts'

/** Prefers nodes on which cpu and memory would be used to the same degree: 100 less their spread. */
export const nodeResourcesBalanced = definePlugin<{ readonly requests: ResourceAmounts }>({
  name: 'NodeResourcesBalancedAllocation',
  prepare(pod) {
    const { requests } = shareOf(pod)
    // A pod without requests is the same burden everywhere.
    return Object.keys(requests).length === 0 ? 'skip' : { requests }
  },
  score(_pod, node, { requests }) {
    const fractions = ['cpu', 'memory']
      .filter((name) => (node.allocatable[name] ?? 0) > 0)
      .map((name) => ((node.requested[name] ?? 0) + (requests[name] ?? 0)) / (node.allocatable[name] as number))
      .map((fraction) => Math.min(fraction, 1))
    const [first, second] = fractions
    const deviation = first === undefined || second === undefined ? 0 : Math.abs(first - second) / 2
    return Math.floor((1 - deviation) * maxNodeScore)
  },
})
