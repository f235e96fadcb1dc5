import type { Taint } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Informers } from '#client/informer.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Metric } from '#lib/metrics/metric.ts'
import type { Random } from '#lib/random.ts'
import type { UnifiedNode } from './cgroups/unified-settings.ts'
import type { KubeletSettings } from './configuration/kubelet-settings.ts'
import type { ContainerRuntime } from './cri/runtime.ts'
import type { NodeCredentials } from './images/node-credentials.ts'
import type { NodeFiles } from './identity/host-files.ts'
import type { NodeMachine } from './node/node-machine.ts'
import type { PodHost } from './pod-worker/pod-host.ts'
import type { ProbeRunner } from './probes/run-probe.ts'
import type { KubeletServerOptions } from './server/server-context.ts'
import type { MachineEnd } from './shutdown/machine-end.ts'
import type { SystemFiles } from './topology/read-topology.ts'

/** Everything that a kubelet needs from outside. */
export interface KubeletOptions {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly events: EventRecorder
  readonly runtime: ContainerRuntime
  /** Starts the runtime again when it has gone; absent: somebody else does. */
  readonly reviveRuntime?: () => Promise<void>
  readonly nodeName: string
  /** The node's addresses, the primary one first. */
  readonly nodeAddresses: readonly string[]
  /** Set on the node when it registers, where no controller gives out pod ranges. */
  readonly podCidr?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
  /** What `kubectl get nodes` shows as the version. Default `v1.36.2`. */
  readonly version?: string
  /** Addresses of the cluster's DNS service; empty: pods get the node's resolvers. */
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** How the node is reached by `kubectl logs` and `exec`; absent: it is not. */
  readonly server?: KubeletServerOptions
  /** What the configuration file says; default `defaultSettings`. */
  readonly settings?: KubeletSettings
  /** What the node may show to registries beside the secrets of pods; default: nothing. */
  readonly credentials?: NodeCredentials
  /** Images that are never removed although no container has them, such as that of the sandboxes. */
  readonly keptImages?: readonly string[]
  readonly effects: NodeEffects
}

/** The parts of a node that are the machine's: real ones by `linuxNode`, or those of a simulated node. */
export interface NodeEffects {
  readonly host: PodHost
  readonly machine: NodeMachine
  readonly files: NodeFiles
  readonly probe: ProbeRunner
  /** Where localhost seccomp profiles lie. */
  readonly seccompDirectory: string
  /** The kubelet's folder, where plugins register; absent: the node takes none. */
  readonly rootDir?: string
  /** What the parts count, for `/metrics`. */
  readonly metrics?: readonly Metric[]
  /** Where the machine's topology is read; absent: it is not known. */
  readonly system?: SystemFiles
  /** Absent: the node has cgroup v1. */
  readonly unified?: UnifiedNode
  /** Who says that the machine goes down, and waits; absent: nobody. */
  readonly machineEnd?: MachineEnd
}
