import type { NodeAffinity, TopologySpreadConstraint } from '#api/types/core.v1.ts'
import type { PluginSets } from '../extension-points.ts'
import type { ShapePoint, WeightedResource } from '../plugins/scoring-strategy.ts'

/** What a KubeSchedulerConfiguration v1 says, defaults filled in. Settings of a process of its own are left out. */
export interface ConfigurationFile {
  readonly parallelism: number
  readonly percentageOfNodesToScore?: number
  readonly podInitialBackoffSeconds: number
  readonly podMaxBackoffSeconds: number
  readonly profiles: readonly ProfileEntry[]
  readonly extenders: readonly ExtenderEntry[]
  readonly leaderElection?: { readonly leaderElect?: boolean; readonly resourceLock?: string }
}

export interface ProfileEntry {
  readonly schedulerName: string
  readonly percentageOfNodesToScore?: number
  readonly plugins?: PluginSets
  readonly pluginConfig: readonly { readonly name: string; readonly args: object }[]
}

export interface ExtenderEntry {
  readonly urlPrefix?: string
  readonly filterVerb?: string
  readonly prioritizeVerb?: string
  readonly preemptVerb?: string
  readonly bindVerb?: string
  readonly weight?: number
  readonly enableHTTPS?: boolean
  readonly httpTimeout?: string
  readonly nodeCacheCapable?: boolean
  readonly ignorable?: boolean
  readonly tlsConfig?: {
    readonly insecure?: boolean
    readonly serverName?: string
    readonly certFile?: string
    readonly keyFile?: string
    readonly caFile?: string
    /** Base64. */
    readonly certData?: string
    readonly keyData?: string
    readonly caData?: string
  }
  readonly managedResources?: readonly { readonly name: string; readonly ignoredByScheduler?: boolean }[]
}

/** The arguments of plugins, as they are written. */
export interface WrittenArguments {
  readonly DefaultPreemption: {
    readonly minCandidateNodesPercentage: number
    readonly minCandidateNodesAbsolute: number
  }
  readonly InterPodAffinity: {
    readonly hardPodAffinityWeight: number
    readonly ignorePreferredTermsOfExistingPods?: boolean
  }
  readonly NodeAffinity: { readonly addedAffinity?: NodeAffinity }
  readonly NodeResourcesFit: {
    readonly ignoredResources?: readonly string[]
    readonly ignoredResourceGroups?: readonly string[]
    readonly scoringStrategy: {
      readonly type: string
      readonly resources: readonly WeightedResource[]
      readonly requestedToCapacityRatio?: { readonly shape?: readonly ShapePoint[] }
    }
  }
  readonly NodeResourcesBalancedAllocation: { readonly resources: readonly WeightedResource[] }
  readonly PodTopologySpread: {
    readonly defaultingType: string
    readonly defaultConstraints?: readonly TopologySpreadConstraint[]
  }
  readonly VolumeBinding: { readonly bindTimeoutSeconds: number; readonly shape?: readonly ShapePoint[] }
  readonly DynamicResources: { readonly filterTimeout?: string; readonly bindingTimeout?: string }
}
