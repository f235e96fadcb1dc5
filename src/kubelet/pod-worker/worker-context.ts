import type { PodCertificates } from '../certificates/pod-certificates.ts'
import type { ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Node, Pod, Service } from '#api/types/core.v1.ts'
import type { Client } from '#client/client.ts'
import type { UnifiedNode } from '../cgroups/unified-settings.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { KubeletSettings } from '../configuration/kubelet-settings.ts'
import type { ContainerRuntime, RuntimeHandler } from '../cri/runtime.ts'
import type { GrantSource } from '../devices/grant-source.ts'
import type { PressureCondition } from '../eviction/signals.ts'
import type { NodeFiles } from '../identity/host-files.ts'
import type { ImageManager } from '../images/image-manager.ts'
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import type { ObjectSource } from '../objects/pod-objects.ts'
import type { Probers } from '../probes/prober.ts'
import type { TokenSource } from '../volumes/token-source.ts'
import type { VolumeService } from '../volumes/volume-plugin.ts'
import type { PodHost } from './pod-host.ts'

/** What all pod workers of a node share. */
export interface WorkerContext {
  readonly client: Client
  readonly clock: Clock
  readonly metrics: KubeletMetrics
  readonly random: Random
  readonly log: Log
  readonly events: EventRecorder
  readonly runtime: ContainerRuntime
  /** Scheme of container ids in statuses, such as `containerd`. */
  readonly runtimeName: string
  readonly host: PodHost
  /** Volumes of CSI drivers; absent on nodes that take no plugins. */
  readonly csi?: VolumeService
  /** Devices of plugins; absent on nodes that take none. */
  readonly grants?: GrantSource
  readonly nodeFiles: NodeFiles
  readonly images: ImageManager
  readonly objects: ObjectSource
  readonly tokens: TokenSource
  readonly certificates: PodCertificates
  readonly probers: Probers
  /** The runtime's handler that a pod's RuntimeClass names; throws when there is no such class. */
  readonly runtimeHandler: (pod: Pod) => string
  /** The runtime's handlers and what each can do, as it said last. */
  readonly runtimeHandlers: () => readonly RuntimeHandler[]
  /** All services of the cluster that are known. */
  readonly services: () => readonly Service[]
  /** This node as the API has it. */
  readonly node: () => Node | undefined
  /** The other pods that this node runs or is about to, for admission. */
  readonly admittedPods: () => readonly Pod[]
  /** Starts the runtime again if it is gone; absent: somebody else does. */
  readonly reviveRuntime?: () => Promise<void>
  /** The node goes down: it takes no pods any more. */
  readonly isShuttingDown: () => boolean
  /** Under which pressure the node is. */
  readonly pressure: () => ReadonlySet<PressureCondition>
  readonly nodeName: string
  /** The node's addresses, the primary one first. */
  readonly hostIps: readonly string[]
  readonly allocatable: () => ResourceAmounts
  readonly memoryCapacityBytes: number
  /** Of the machine, in bytes. */
  readonly hugePageSizes: readonly number[]
  /** Absent: the node has cgroup v1. */
  readonly unified?: UnifiedNode
  readonly hasAppArmor: boolean
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  readonly seccompDirectory: string
  readonly settings: KubeletSettings
}
