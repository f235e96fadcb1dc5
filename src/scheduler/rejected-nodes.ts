import type { ReasonCount } from '#api/core/v1/scheduling-explanation.ts'
import type { RejectedNode, Rejection } from './framework.ts'
import type { NodeInfo } from './node-info.ts'

/** Nodes that were turned down, and why. A pod may meet thousands before it finds its own: they cost two entries each. */
export class RejectedNodes {
  readonly #nodes: NodeInfo[] = []
  readonly rejections: Rejection[] = []

  add(node: NodeInfo, rejection: Rejection): void {
    this.#nodes.push(node)
    this.rejections.push(rejection)
  }

  /** The first ones, or all. */
  list(limit: number = this.#nodes.length): RejectedNode[] {
    return this.rejections.slice(0, limit).map((rejection, at) => ({ node: this.#nodes[at] as NodeInfo, rejection }))
  }
}

/** Counts reasons; a node that is short of several things counts for each of them. */
export function countReasons(rejections: Iterable<Rejection>): ReasonCount[] {
  // Most plugins answer with one and the same rejection each time, so that few are left to compare by their text.
  const same = new Map<Rejection, number>()
  for (const rejection of rejections) same.set(rejection, (same.get(rejection) ?? 0) + 1)
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
  const counts = countReasons(rejected.map(({ rejection }) => rejection))
  const parts = counts.map(({ reason, nodes }) => `${nodes} ${reason}`)
  return `0/${nodeCount} nodes are available: ${parts.sort().join(', ')}.`
}
