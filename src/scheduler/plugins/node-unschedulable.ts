import { tolerates } from '#api/core/v1/node-facts.ts'
import { definePlugin } from '../framework.ts'

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** Cordoned nodes take only pods that tolerate it. */
export const nodeUnschedulable = definePlugin({
  name: 'NodeUnschedulable',
  filter(pod, { node }) {
    if (node.spec.unschedulable !== true) return undefined
    if (pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint))) return undefined
    return { plugin: 'NodeUnschedulable', reason: 'node(s) were unschedulable' }
  },
  helpedBy: (change) =>
    change.type === 'nodeAdded' ||
    (change.type === 'nodeUpdated' && change.previous.spec.unschedulable === true && !change.node.spec.unschedulable),
})
