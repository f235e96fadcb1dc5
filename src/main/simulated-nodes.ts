import type { Pod } from '#api/types/core.v1.ts'
import { nodes, pods } from '#api/types/resources.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import type { Client } from '#client/client.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import type { Informers } from '#client/informer.ts'
import { createInformers } from '#client/informers.ts'
import { partitionedInformers, partitionOf } from '#client/partitioned-informers.ts'
import { createKubelet, type Kubelet } from '#kubelet/kubelet.ts'
import type { SimulatedBehaviour } from '#kubelet/simulated/behaviour.ts'
import { simulatedNode, type SimulatedNodeOptions } from '#kubelet/simulated/simulated-node.ts'
import { simulatedRuntime } from '#kubelet/simulated/simulated-runtime.ts'
import type { Effects } from './effects.ts'
import { identities, nodeIdentity } from './identities.ts'
import { ranges } from './ranges.ts'

export interface SimulatedNodesOptions {
  /** A client in this process that acts as the user. */
  readonly clientAs: (user: UserInfo, component: string) => Client
  readonly effects: Effects
  readonly count: number
  /** What happens to containers; default: they start at once and run. */
  readonly behaviour?: SimulatedBehaviour
  readonly node?: SimulatedNodeOptions
  /** Labels of the node with that index. */
  readonly labels?: (index: number) => Readonly<Record<string, string>>
}

export interface SimulatedNodes {
  readonly names: readonly string[]
  /** Ends all kubelets; their nodes and pods stay in the API. */
  stop(): Promise<void>
}

/**
 * Nodes without machines: the real kubelet on a container runtime in memory. All of them share one copy of nodes, pods
 * and services, so that a process can play thousands. Resolves when all are registered.
 */
export async function startSimulatedNodes(options: SimulatedNodesOptions): Promise<SimulatedNodes> {
  const { clientAs, effects, count } = options
  const client = clientAs(identities.controllerManager, 'simulated-nodes')
  const shared = createInformers({ client, ...effects, log: effects.log.with({ component: 'simulated-nodes' }) })
  const informers = partitionedInformers(shared, [
    partitionOf(pods, 'spec.nodeName', (pod: Pod) => pod.spec.nodeName ?? ''),
    partitionOf(nodes, 'metadata.name', (node) => node.metadata.name),
  ])
  const started = Array.from({ length: count }, (_, index) => oneNode(options, informers, index))
  await Promise.all(started.map(({ kubelet }) => kubelet.start()))
  return {
    names: started.map(({ name }) => name),
    async stop() {
      await Promise.all(started.map((each) => each.stop()))
      await shared.stop()
    },
  }
}

interface OneNode {
  readonly name: string
  readonly kubelet: Kubelet
  stop(): Promise<void>
}

function oneNode(options: SimulatedNodesOptions, informers: Informers, index: number): OneNode {
  const { clientAs, effects, behaviour, labels } = options
  const { clock, random, log } = effects
  const name = `simulated-${index + 1}`
  const client = clientAs(nodeIdentity(name), 'kubelet')
  const events = createEventRecorder({ client, clock, log, component: 'kubelet', host: name })
  const podCidr = podRangeOf(index)
  const kubelet = createKubelet({
    ...{ client, informers, clock, random, log, events },
    runtime: simulatedRuntime({ clock, random, podCidr, ...(behaviour && { behaviour }) }),
    nodeName: name,
    nodeAddresses: [addressOf(index)],
    podCidr,
    ...(labels && { labels: labels(index) }),
    clusterDns: [ranges.dnsService],
    clusterDomain: ranges.clusterDomain,
    effects: simulatedNode(options.node),
  })
  return {
    name,
    kubelet,
    async stop() {
      await kubelet.stop()
      await events.stop()
    },
  }
}

/** Ranges apart from those of real nodes, of which there are only as many as the cluster's own range holds. */
function podRangeOf(index: number): string {
  return `10.${128 + (index >> 8)}.${index & 255}.0/24`
}

/** Of the range that is set aside for tests of networks (RFC 2544): no packet is ever sent there. */
function addressOf(index: number): string {
  return `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
}
