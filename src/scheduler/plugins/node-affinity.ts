import {
  matchesNodeSelector,
  matchesRequiredNodeAffinity,
  preferredNodeAffinityWeight,
} from '#api/core/v1/node-affinity.ts'
import type { Node, NodeAffinity, Pod } from '#api/types/core.v1.ts'
import { definePlugin, type SchedulerPlugin } from '../framework.ts'

const plugin = 'NodeAffinity'
const rejection = { plugin, reason: "node(s) didn't match Pod's node affinity/selector", unresolvable: true }
const addedRejection = {
  plugin,
  reason: "node(s) didn't match scheduler-enforced node affinity",
  unresolvable: true,
}

export interface NodeAffinityOptions {
  /** What every pod of the profile wants of its node beside its own affinity. */
  readonly addedAffinity?: NodeAffinity
}

/** `nodeSelector` and node affinity: required terms filter, preferred terms score. */
export function nodeAffinity({ addedAffinity }: NodeAffinityOptions = {}): SchedulerPlugin {
  const added = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const suits = (pod: Pod, node: Node): boolean =>
    (added === undefined || matchesNodeSelector(added, node)) && matchesRequiredNodeAffinity(pod.spec, node)
  return definePlugin({
    name: plugin,
    preFilter: ({ pod: { spec } }) =>
      spec.nodeSelector === undefined && spec.affinity?.nodeAffinity === undefined && addedAffinity === undefined
        ? 'skip'
        : undefined,
    onlyNodes: ({ pod }) => namedNodes(pod.spec.affinity?.nodeAffinity),
    filter({ pod }, { node }) {
      if (added !== undefined && !matchesNodeSelector(added, node)) return addedRejection
      return matchesRequiredNodeAffinity(pod.spec, node) ? undefined : rejection
    },
    signature: ({ pod: { spec } }) => JSON.stringify([spec.nodeSelector, spec.affinity?.nodeAffinity]),
    remedy: ({ pod }, { node, name }) => {
      const missing = Object.entries(pod.spec.nodeSelector ?? {}).filter(
        ([key, value]) => node.metadata.labels?.[key] !== value,
      )
      const labels = missing.map(([key, value]) => `${key}=${value}`).join(',')
      return labels === '' ? `label ${name} as the pod's node affinity wants it` : `label ${name} with ${labels}`
    },
    preScore: ({ pod }) =>
      hasPreferences(pod.spec.affinity?.nodeAffinity) || hasPreferences(addedAffinity) ? undefined : 'skip',
    score: ({ pod }, { node }) =>
      preferredNodeAffinityWeight(addedAffinity, node) +
      preferredNodeAffinityWeight(pod.spec.affinity?.nodeAffinity, node),
    normalize: 'byHighest',
    weight: 2,
    helpedBy(change, pod) {
      if (change.type === 'nodeAdded') return suits(pod.pod, change.node)
      if (change.type !== 'nodeUpdated') return false
      return suits(pod.pod, change.node) && !suits(pod.pod, change.previous)
    },
  })
}

function hasPreferences(affinity: NodeAffinity | undefined): boolean {
  return (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).length > 0
}

/** The nodes that required terms name by `metadata.name`, as DaemonSet pods do; nothing if one of the terms does not. */
function namedNodes(affinity: NodeAffinity | undefined): ReadonlySet<string> | undefined {
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms === undefined || terms.length === 0) return undefined
  const names = new Set<string>()
  for (const { matchFields = [] } of terms) {
    const named = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (!named) return undefined
    for (const name of named.values ?? []) names.add(name)
  }
  return names
}
