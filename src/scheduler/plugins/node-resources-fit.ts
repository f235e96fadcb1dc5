import { podRequests } from '#api/core/v1/pod-resources.ts'
import type { ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import { definePlugin, maxNodeScore, type Rejection } from '../framework.ts'
import { shareOf, type NodeInfo } from '../node-info.ts'

interface FitState {
  readonly requests: ResourceAmounts
  readonly scoredRequests: ResourceAmounts
}

const scoredResources = ['cpu', 'memory']

/** The pod's requests must fit into what the node has left; the emptier the node, the better (least allocated). */
export const nodeResourcesFit = definePlugin<FitState>({
  name: 'NodeResourcesFit',
  prepare: (pod) => shareOf(pod),
  filter(_pod, node, { requests }) {
    const missing = missingResources(node, requests)
    const [first] = missing
    if (!first) return undefined
    return {
      plugin: 'NodeResourcesFit',
      reason: missing.map(({ reason }) => reason).join('\n'),
      missing: first.missing,
    }
  },
  score(_pod, node, { scoredRequests }) {
    const shares = scoredResources.map((name) => {
      const capacity = node.allocatable[name] ?? 0
      const used = (node.scoredRequested[name] ?? 0) + (scoredRequests[name] ?? 0)
      return capacity === 0 || used > capacity ? 0 : Math.floor(((capacity - used) * maxNodeScore) / capacity)
    })
    return Math.floor(shares.reduce((sum, share) => sum + share, 0) / shares.length)
  },
  helpedBy(change, pod) {
    if (change.type === 'podFreed') return true
    if (change.type !== 'nodeAdded' && change.type !== 'nodeUpdated') return false
    return change.type === 'nodeAdded' || hasMore(change, podRequests(pod))
  },
})

type Missing = Required<Pick<Rejection, 'reason' | 'missing'>>

function missingResources(node: NodeInfo, requests: ResourceAmounts): Missing[] {
  const missing: Missing[] = []
  const allowedPods = node.allocatable['pods'] ?? 0
  if (node.pods.size + 1 > allowedPods) {
    const counts = { resource: 'pods', requested: 1, free: allowedPods - node.pods.size }
    missing.push({ reason: 'Too many pods', missing: counts })
  }
  for (const [resource, requested] of Object.entries(requests)) {
    const free = (node.allocatable[resource] ?? 0) - (node.requested[resource] ?? 0)
    if (requested > 0 && requested > free) {
      missing.push({ reason: `Insufficient ${resource}`, missing: { resource, requested, free } })
    }
  }
  return missing
}

/** Whether the node's allocatable grew in something the pod asks for. */
function hasMore(change: { node: NodeInfo['node']; previous: NodeInfo['node'] }, requests: ResourceAmounts): boolean {
  const now = change.node.status?.allocatable
  const before = change.previous.status?.allocatable
  return [...Object.keys(requests), 'pods'].some((name) => now?.[name] !== before?.[name])
}
