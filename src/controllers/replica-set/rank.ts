import { isPodActive, isPodReady, podCondition } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'

/** Earlier phases go first. */
const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/** Annotation by which users say which pods to delete first (API reference, ReplicaSet). */
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * Pods in the order in which a scale-down deletes them: not on a node, pending, not ready, cheap by annotation, many
 * of the same workload on one node, ready for a short time, restarted often, young. Times count by powers of two
 * (KEP-2185), so that pods of about the same age are chosen between by chance, not all from the newest node.
 */
export function rankForDeletion(pods: readonly Pod[], related: readonly Pod[], nowMs: number): readonly Pod[] {
  const perNode = new Map<string, number>()
  for (const pod of related) {
    const node = pod.spec.nodeName
    if (node && isPodActive(pod)) perNode.set(node, (perNode.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => ({ pod, marks: marksOf(pod, perNode, nowMs) }))
  ranked.sort((a, b) => compareMarks(a.marks, b.marks) || (a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1))
  return ranked.map(({ pod }) => pod)
}

/** Numbers by which pods are compared in turn; the smaller one is deleted first. */
function marksOf(pod: Pod, perNode: ReadonlyMap<string, number>, nowMs: number): readonly number[] {
  const node = pod.spec.nodeName ?? ''
  const ready = isPodReady(pod)
  const readySince = ready ? podCondition(pod, 'Ready')?.lastTransitionTime : undefined
  return [
    node === '' ? 0 : 1,
    phaseOrder[pod.status?.phase ?? 'Pending'] ?? 1,
    ready ? 1 : 0,
    Number.parseInt(pod.metadata.annotations?.[deletionCost] ?? '0', 10) || 0,
    -(perNode.get(node) ?? 0),
    ready ? magnitude(nowMs - Date.parse(readySince ?? '')) : 0,
    -mostRestarts(pod),
    magnitude(nowMs - Date.parse(pod.metadata.creationTimestamp)),
  ]
}

function compareMarks(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] as number) - (b[index] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/** The power of two of an age in nanoseconds, upstream's unit; an unknown time is the youngest. */
function magnitude(ageMs: number): number {
  return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : 0
}

function mostRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount))
}
