import { resourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Node } from '#api/types/core.v1.ts'
import { definePlugin, maxNodeScore, type ClusterChange, type Rejection } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'
import type { PodInfo } from '../pod-info.ts'

/** The pod's requests must fit into what the node has left; the emptier the node, the better (least allocated). */
export const nodeResourcesFit = definePlugin({
  name: 'NodeResourcesFit',
  filter(pod, node) {
    const fits =
      node.pods.size < node.allowedPods &&
      pod.cpu <= Math.max(node.freeCpu, 0) &&
      pod.memory <= Math.max(node.freeMemory, 0) &&
      (pod.otherRequests.length === 0 || otherRequestsFit(pod, node))
    return fits ? undefined : rejectionOf(pod, node)
  },
  score: (pod, node) =>
    Math.floor(
      (leftShare(node.allocatableCpu, node.scoredCpu + pod.scoredCpu) +
        leftShare(node.allocatableMemory, node.scoredMemory + pod.scoredMemory)) /
        2,
    ),
  helpedBy(change, pod) {
    // Every pod frees at least its place among the node's pods.
    if (change.type === 'podFreed') return true
    if (change.type === 'podUpdated') return takesLess(change)
    if (change.type === 'nodeAdded') return hasRoomFor(change.node, pod)
    return change.type === 'nodeUpdated' && hasRoomFor(change.node, pod) && hasMore(change)
  },
})

function leftShare(capacity: number, used: number): number {
  return capacity === 0 || used > capacity ? 0 : Math.floor(((capacity - used) * maxNodeScore) / capacity)
}

function otherRequestsFit(pod: PodInfo, node: NodeInfo): boolean {
  return pod.otherRequests.every(([name, amount]) => amount <= (node.allocatable[name] ?? 0) - node.requested(name))
}

/** Names everything that is short. More than the whole node has is beyond the help of preemption. */
function rejectionOf(pod: PodInfo, node: NodeInfo): Rejection {
  const short: (Required<Pick<Rejection, 'missing'>> & { reason: string })[] = []
  if (node.pods.size >= node.allowedPods) {
    const missing = { resource: 'pods', requested: 1, free: node.allowedPods - node.pods.size }
    short.push({ reason: 'Too many pods', missing })
  }
  let unresolvable = node.allowedPods < 1
  for (const [resource, requested] of Object.entries(pod.requests)) {
    const allocatable = node.allocatable[resource] ?? 0
    const free = allocatable - node.requested(resource)
    if (requested <= 0 || requested <= free) continue
    unresolvable ||= requested > allocatable
    short.push({ reason: `Insufficient ${resource}`, missing: { resource, requested, free } })
  }
  const reason = short.map(({ reason }) => reason).join('\n')
  const [first] = short
  return { plugin: 'NodeResourcesFit', reason, unresolvable, ...(first && { missing: first.missing }) }
}

function takesLess({ pod, previous }: ClusterChange & { type: 'podUpdated' }): boolean {
  return Object.keys(previous.requests).some((name) => (pod.requests[name] ?? 0) < (previous.requests[name] ?? 0))
}

function hasRoomFor({ status }: Node, { requests }: PodInfo): boolean {
  const allocatable = resourceAmounts(status?.allocatable)
  return (
    (allocatable['pods'] ?? 0) > 0 &&
    Object.entries(requests).every(([name, amount]) => amount <= (allocatable[name] ?? 0))
  )
}

function hasMore({ node, previous }: ClusterChange & { type: 'nodeUpdated' }): boolean {
  const now = resourceAmounts(node.status?.allocatable)
  const before = resourceAmounts(previous.status?.allocatable)
  return Object.keys(now).some((name) => (now[name] ?? 0) > (before[name] ?? 0))
}
