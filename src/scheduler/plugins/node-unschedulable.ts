import { tolerates } from '#api/core/v1/node-facts.ts'
import { definePlugin } from '../framework.ts'

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

const rejection = { plugin: 'NodeUnschedulable', reason: 'node(s) were unschedulable', unresolvable: true }

/** Cordoned nodes take only pods that tolerate it. */
export const nodeUnschedulable = definePlugin({
  name: 'NodeUnschedulable',
  preFilter({ pod }, { cordonedNodes }) {
    if (cordonedNodes === 0) return 'skip'
    return pod.spec.tolerations?.some((toleration) => tolerates(toleration, taint)) ? 'skip' : undefined
  },
  filter: (_pod, { node }) => (node.spec.unschedulable === true ? rejection : undefined),
  signature: () => '',
  remedy: (_pod, { name }) => `uncordon ${name}`,
  helpedBy: (change) =>
    (change.type === 'nodeAdded' && change.node.spec.unschedulable !== true) ||
    (change.type === 'nodeUpdated' && change.previous.spec.unschedulable === true && !change.node.spec.unschedulable),
})
