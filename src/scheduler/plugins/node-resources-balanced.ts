import { definePlugin, maxNodeScore } from '../framework.ts'

/** Prefers nodes on which cpu and memory would be used to the same degree: 100 less their spread. */
export const nodeResourcesBalanced = definePlugin({
  name: 'NodeResourcesBalancedAllocation',
  // A pod without requests is the same burden everywhere.
  prepare: ({ cpu, memory, otherRequests }) =>
    cpu === 0 && memory === 0 && otherRequests.length === 0 ? 'skip' : undefined,
  score({ cpu, memory }, node) {
    if (node.allocatableCpu === 0 || node.allocatableMemory === 0) return maxNodeScore
    const first = Math.min((node.requestedCpu + cpu) / node.allocatableCpu, 1)
    const second = Math.min((node.requestedMemory + memory) / node.allocatableMemory, 1)
    return Math.floor((1 - Math.abs(first - second) / 2) * maxNodeScore)
  },
  helpedBy: () => false,
})
