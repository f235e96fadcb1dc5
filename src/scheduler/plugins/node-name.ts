import { definePlugin } from '../framework.ts'

const rejection = {
  plugin: 'NodeName',
  reason: "node(s) didn't match the requested node name",
  unresolvable: true,
}

/** A pod that names its node runs there or nowhere. */
export const nodeName = definePlugin({
  name: 'NodeName',
  preFilter: ({ pod }) => (pod.spec.nodeName ? pod.spec.nodeName : 'skip'),
  filter: (_pod, { node }, wanted: string) => (node.metadata.name === wanted ? undefined : rejection),
  signature: (_pod, wanted) => wanted,
  remedy: ({ pod }) => `add the node ${pod.spec.nodeName}`,
  helpedBy: (change, { pod }) => change.type === 'nodeAdded' && change.node.metadata.name === pod.spec.nodeName,
})
