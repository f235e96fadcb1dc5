import { hostPortsCollide, type HostPort } from '#api/core/v1/pod-facts.ts'
import { definePlugin } from '../framework.ts'

const rejection = { plugin: 'NodePorts', reason: "node(s) didn't have free ports for the requested pod ports" }

/** Two pods of a node cannot have the same host port. */
export const nodePorts = definePlugin({
  name: 'NodePorts',
  preFilter: ({ hostPorts }) => (hostPorts.length === 0 ? 'skip' : hostPorts),
  filter(_pod, node, wanted: readonly HostPort[]) {
    for (const { hostPorts } of node.pods.values()) {
      if (hostPorts.some((used) => wanted.some((port) => hostPortsCollide(port, used)))) {
        return rejection
      }
    }
    return undefined
  },
  signature: (_pod, wanted) => JSON.stringify(wanted),
  remedy({ hostPorts: wanted }, { name, pods }) {
    for (const { hostPorts, pod } of pods.values()) {
      const taken = hostPorts.find((used) => wanted.some((port) => hostPortsCollide(port, used)))
      const holder = `${pod.metadata.namespace}/${pod.metadata.name}`
      if (taken) return `free host port ${taken.hostPort}/${taken.protocol} on ${name}, which ${holder} has`
    }
    return undefined
  },
  helpedBy: (change, pod) =>
    change.type === 'nodeAdded' ||
    (change.type === 'podFreed' &&
      change.pod.hostPorts.some((freed) => pod.hostPorts.some((port) => hostPortsCollide(port, freed)))),
})
