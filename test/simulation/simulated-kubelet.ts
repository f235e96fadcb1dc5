import type { UserInfo } from '#api/meta/exchange.ts'
import type { Client } from '#client/client.ts'
import { createEventRecorder } from '#client/event-recorder.ts'
import { createInformers } from '#client/informers.ts'
import { createKubelet } from '#kubelet/kubelet.ts'
import type { SimulatedBehaviour } from '#kubelet/simulated/behaviour.ts'
import { simulatedNode, type SimulatedNodeOptions } from '#kubelet/simulated/simulated-node.ts'
import { simulatedRuntime } from '#kubelet/simulated/simulated-runtime.ts'
import type { Effects } from '#main/effects.ts'
import { nodeIdentity } from '#main/identities.ts'
import { mortalClient } from './mortal-client.ts'

/** What one simulated node is like. */
export interface NodeOptions extends SimulatedNodeOptions {
  readonly labels?: Readonly<Record<string, string>>
  readonly behaviour?: SimulatedBehaviour
}

export interface KubeletOptions extends NodeOptions {
  readonly clientAs: (user: UserInfo) => Client
  readonly effects: Effects
  readonly name: string
  readonly podCidr: string
}

/** A node that can be lost. */
export interface KubeletHandle {
  /** The machine loses its power: nothing of it is heard again. */
  kill(): void
}

/** A real kubelet over a runtime in memory, with the rights of its node. */
export function startKubelet(options: KubeletOptions): KubeletHandle {
  const { clientAs, effects, name, podCidr } = options
  const { clock, random, log } = effects
  const { client, kill } = mortalClient(clientAs(nodeIdentity(name)))
  const informers = createInformers({ client, clock, random, log })
  const events = createEventRecorder({ client, clock, log, component: 'kubelet', host: name })
  const runtime = simulatedRuntime({
    clock,
    random,
    podCidr,
    ...(options.behaviour && { behaviour: options.behaviour }),
  })
  const kubelet = createKubelet({
    client,
    informers,
    clock,
    random,
    log,
    events,
    runtime,
    nodeName: name,
    nodeAddresses: [`192.0.2.${podCidr.split('.')[2]}`],
    podCidr,
    labels: options.labels ?? {},
    clusterDns: [],
    clusterDomain: 'cluster.local',
    effects: simulatedNode(options),
  })
  void kubelet.start().catch(() => undefined)
  return {
    kill() {
      kill()
      void kubelet.stop().catch(() => undefined)
      void informers.stop().catch(() => undefined)
      void events.stop().catch(() => undefined)
    },
  }
}
