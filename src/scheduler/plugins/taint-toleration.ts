import { findUntoleratedTaint, tolerates } from '#api/core/v1/node-facts.ts'
import { definePlugin } from '../framework.ts'

const hardEffects = ['NoSchedule', 'NoExecute'] as const

/** Taints keep pods away that do not tolerate them; `PreferNoSchedule` only lowers the score. */
export const taintToleration = definePlugin({
  name: 'TaintToleration',
  filter: (pod, { node }) =>
    findUntoleratedTaint(node.spec.taints, pod.spec.tolerations, hardEffects) === undefined
      ? undefined
      : { plugin: 'TaintToleration', reason: 'node(s) had untolerated taint(s)' },
  score(pod, { node }) {
    const soft = (node.spec.taints ?? []).filter(({ effect }) => effect === 'PreferNoSchedule')
    return soft.filter((taint) => !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint))).length
  },
  normalize: 'byHighestReversed',
  weight: 3,
  helpedBy(change, pod) {
    if (change.type !== 'nodeAdded' && change.type !== 'nodeUpdated') return false
    return findUntoleratedTaint(change.node.spec.taints, pod.spec.tolerations, hardEffects) === undefined
  },
})
