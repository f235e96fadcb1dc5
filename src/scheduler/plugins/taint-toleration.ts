import { findUntoleratedTaint, formatTaint, tolerates } from '#api/core/v1/node-facts.ts'
import type { Node } from '#api/types/core.v1.ts'
import { definePlugin } from '../framework.ts'

const hardEffects = ['NoSchedule', 'NoExecute'] as const

const rejection = { plugin: 'TaintToleration', reason: 'node(s) had untolerated taint(s)', unresolvable: true }

/** Taints keep pods away that do not tolerate them; `PreferNoSchedule` only lowers the score. */
export const taintToleration = definePlugin({
  name: 'TaintToleration',
  preFilter: (_pod, { taintedNodes, softTaintedNodes }) => (taintedNodes + softTaintedNodes === 0 ? 'skip' : undefined),
  filter({ pod }, { node }) {
    const { taints } = node.spec
    if (taints === undefined) return undefined
    return findUntoleratedTaint(taints, pod.spec.tolerations, hardEffects) === undefined ? undefined : rejection
  },
  signature: ({ pod }) => JSON.stringify(pod.spec.tolerations),
  remedy({ pod }, { node, name }) {
    const taint = findUntoleratedTaint(node.spec.taints, pod.spec.tolerations, hardEffects)
    return taint && `remove the taint ${formatTaint(taint)} from ${name}, or tolerate it`
  },
  preScore: (_pod, _feasible, _state, { softTaintedNodes }) => (softTaintedNodes === 0 ? 'skip' : undefined),
  score({ pod }, { node }) {
    const soft = (node.spec.taints ?? []).filter(({ effect }) => effect === 'PreferNoSchedule')
    return soft.filter((taint) => !pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint))).length
  },
  normalize: 'byHighestReversed',
  weight: 3,
  helpedBy(change, { pod }) {
    if (change.type !== 'nodeAdded' && change.type !== 'nodeUpdated') return false
    const keepsAway = ({ spec }: Node): boolean =>
      findUntoleratedTaint(spec.taints, pod.spec.tolerations, hardEffects) !== undefined
    return !keepsAway(change.node) && (change.type === 'nodeAdded' || keepsAway(change.previous))
  },
})
