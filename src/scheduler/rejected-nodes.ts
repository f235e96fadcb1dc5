import type { ReasonCount } from '#api/core/v1/scheduling-explanation.ts'
import type { RejectedNode, Rejection } from './framework.ts'

/** Counts reasons; a node that is short of several things counts for each of them. */
export function countReasons(rejected: readonly RejectedNode[]): ReasonCount[] {
  // Most plugins answer with one and the same rejection each time, so that few are left to compare by their text.
  const same = new Map<Rejection, number>()
  for (const { rejection } of rejected) same.set(rejection, (same.get(rejection) ?? 0) + 1)
  const counts = new Map<string, { plugin: string; reason: string; nodes: number }>()
  for (const [{ plugin, reason: reasons }, nodes] of same) {
    for (const reason of reasons.split('\n')) {
      const key = `${plugin}\n${reason}`
      const known = counts.get(key)
      if (known) known.nodes += nodes
      else counts.set(key, { plugin, reason, nodes })
    }
  }
  return [...counts.values()]
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` */
export function unavailableMessage(nodeCount: number, rejected: readonly RejectedNode[]): string {
  const parts = countReasons(rejected).map(({ reason, nodes }) => `${nodes} ${reason}`)
  return `0/${nodeCount} nodes are available: ${parts.sort().join(', ')}.`
}
