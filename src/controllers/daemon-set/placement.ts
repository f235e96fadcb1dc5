import { matchesRequiredNodeAffinity } from '#api/core/v1/node-affinity.ts'
import { findUntoleratedTaint } from '#api/core/v1/node-facts.ts'
import type { Node, Pod, PodSpec, Toleration } from '#api/types/core.v1.ts'

export interface Placement {
  /** A pod belongs on the node. */
  readonly shouldRun: boolean
  /** A pod that is there may stay. */
  readonly mayStay: boolean
}

/** Whether a DaemonSet's pod belongs on a node: by name, selector, affinity and taints, whatever else runs there. */
export function placementOn(node: Node, spec: PodSpec): Placement {
  const isNamed = spec.nodeName === undefined || spec.nodeName === '' || spec.nodeName === node.metadata.name
  if (!isNamed || !matchesRequiredNodeAffinity(spec, node)) return { shouldRun: false, mayStay: false }
  const tolerations = daemonTolerations(spec)
  const taints = node.spec?.taints
  return {
    shouldRun: findUntoleratedTaint(taints, tolerations) === undefined,
    mayStay: findUntoleratedTaint(taints, tolerations, ['NoExecute']) === undefined,
  }
}

const always = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
] as const

/** What every DaemonSet's pods tolerate besides their own (documentation, "DaemonSet", "Taints and tolerations"). */
function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): readonly Toleration[] {
  const added = [...always, ...(hostNetwork ? [['node.kubernetes.io/network-unavailable', 'NoSchedule'] as const] : [])]
  const missing = added.filter(([key, effect]) => {
    return !tolerations.some((known) => known.key === key && known.effect === effect && known.operator === 'Exists')
  })
  return [...tolerations, ...missing.map(([key, effect]): Toleration => ({ key, operator: 'Exists', effect }))]
}

const nameField = 'metadata.name'

/** The pod's spec bound to one node by affinity: the scheduler places it, so that preemption and gates work as for others. */
export function specForNode(spec: PodSpec, nodeName: string): PodSpec {
  const matchFields = [{ key: nameField, operator: 'In', values: [nodeName] }] as const
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const terms = required?.nodeSelectorTerms ?? []
  const nodeSelectorTerms = terms.length === 0 ? [{ matchFields }] : terms.map((term) => ({ ...term, matchFields }))
  const requiredDuringSchedulingIgnoredDuringExecution = { ...required, nodeSelectorTerms }
  const nodeAffinity = { ...spec.affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution }
  return { ...spec, affinity: { ...spec.affinity, nodeAffinity }, tolerations: daemonTolerations(spec) }
}

/** The node a DaemonSet's pod is on, or is meant for while the scheduler has not placed it. */
export function nodeNameOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  for (const { matchFields } of required?.nodeSelectorTerms ?? []) {
    const byName = matchFields?.find(({ key, operator }) => key === nameField && operator === 'In')
    if (byName?.values?.length === 1) return byName.values[0]
  }
  return undefined
}
