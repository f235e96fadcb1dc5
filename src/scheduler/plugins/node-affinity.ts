import {
  matchesNodeLabels,
  matchesRequiredNodeAffinity,
  preferredNodeAffinityWeight,
} from '#api/core/v1/node-affinity.ts'
import { definePlugin } from '../framework.ts'

/** `nodeSelector` and node affinity: required terms filter, preferred terms score. */
export const nodeAffinity = definePlugin({
  name: 'NodeAffinity',
  filter: (pod, { node }) =>
    matchesRequiredNodeAffinity(pod.spec, node)
      ? undefined
      : { plugin: 'NodeAffinity', reason: "node(s) didn't match Pod's node affinity/selector" },
  score: (pod, { node }) => preferredNodeAffinityWeight(pod.spec.affinity?.nodeAffinity, node),
  normalize: 'byHighest',
  weight: 2,
  helpedBy(change, pod) {
    if (change.type !== 'nodeAdded' && change.type !== 'nodeUpdated') return false
    return matchesNodeLabels(pod.spec.nodeSelector, change.node) && matchesRequiredNodeAffinity(pod.spec, change.node)
  },
})
