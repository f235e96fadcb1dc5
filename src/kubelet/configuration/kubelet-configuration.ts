import type { Taint } from '#api/types/core.v1.ts'

/** The fields of a `KubeletConfiguration` that this kubelet acts on; durations are in milliseconds. */
export interface KubeletConfiguration {
  readonly enableServer?: boolean
  readonly enableDebuggingHandlers?: boolean
  readonly port?: number
  readonly clusterDNS?: readonly string[]
  readonly clusterDomain?: string
  readonly resolvConf?: string
  readonly staticPodPath?: string
  readonly maxPods?: number
  readonly podsPerCore?: number
  readonly podPidsLimit?: number
  readonly nodeStatusUpdateFrequency?: number
  readonly nodeStatusReportFrequency?: number
  readonly nodeLeaseDurationSeconds?: number
  readonly nodeStatusMaxImages?: number
  readonly providerID?: string
  readonly registerWithTaints?: readonly Taint[]
  readonly imageMinimumGCAge?: number
  readonly imageMaximumGCAge?: number
  readonly imageGCHighThresholdPercent?: number
  readonly imageGCLowThresholdPercent?: number
  readonly serializeImagePulls?: boolean
  readonly maxParallelImagePulls?: number
  readonly registryPullQPS?: number
  readonly registryBurst?: number
  readonly evictionHard?: Readonly<Record<string, string>>
  readonly evictionSoft?: Readonly<Record<string, string>>
  readonly evictionSoftGracePeriod?: Readonly<Record<string, string>>
  readonly evictionPressureTransitionPeriod?: number
  readonly evictionMaxPodGracePeriod?: number
  readonly containerLogMaxSize?: string
  readonly containerLogMaxFiles?: number
  readonly containerLogMonitorInterval?: number
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod?: number }
  readonly shutdownGracePeriod?: number
  readonly shutdownGracePeriodCriticalPods?: number
  readonly shutdownGracePeriodByPodPriority?: readonly {
    readonly priority?: number
    readonly shutdownGracePeriodSeconds?: number
  }[]
  readonly systemReserved?: Readonly<Record<string, string>>
  readonly kubeReserved?: Readonly<Record<string, string>>
  readonly reservedSystemCPUs?: string
  readonly enforceNodeAllocatable?: readonly string[]
  readonly cpuManagerPolicy?: string
  readonly cpuManagerPolicyOptions?: Readonly<Record<string, string>>
  readonly memoryManagerPolicy?: string
  readonly reservedMemory?: readonly {
    readonly numaNode?: number
    readonly limits?: Readonly<Record<string, string>>
  }[]
  readonly topologyManagerPolicy?: string
  readonly topologyManagerScope?: string
  readonly topologyManagerPolicyOptions?: Readonly<Record<string, string>>
  readonly allowedUnsafeSysctls?: readonly string[]
  readonly seccompDefault?: boolean
  readonly cpuCFSQuota?: boolean
  readonly cpuCFSQuotaPeriod?: number
  readonly userNamespaces?: { readonly idsPerPod?: number }
  readonly featureGates?: Readonly<Record<string, boolean>>
}
