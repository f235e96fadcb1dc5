import { isNodeReady } from '#api/core/v1/node-facts.ts'
import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'

const outOfServiceTaint = 'node.kubernetes.io/out-of-service'

/** Finished pods beyond the threshold, the oldest first: they are kept for their logs and their status, not for ever. */
export function surplusPods(finished: readonly Pod[], threshold: number): readonly Pod[] {
  const surplus = finished.length - threshold
  if (threshold <= 0 || surplus <= 0) return []
  return finished
    .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1))
    .slice(0, surplus)
}

/** Whether nobody will ever finish the pod's deletion: it never got a node, or its node is declared out of service. */
export function isAbandoned(pod: Pod, node: Node | undefined): boolean {
  if (pod.metadata.deletionTimestamp === undefined) return false
  if (pod.spec.nodeName === undefined || pod.spec.nodeName === '') return true
  if (node === undefined || isNodeReady(node) || isPodTerminal(pod)) return false
  return node.spec?.taints?.some(({ key }) => key === outOfServiceTaint) ?? false
}
