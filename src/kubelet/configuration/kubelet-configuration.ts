import type { Taint } from '#api/types/core.v1.ts'

type Texts = Readonly<Record<string, string>>

/** The fields of a `KubeletConfiguration` that this kubelet acts on or judges; durations are in milliseconds. */
export interface KubeletConfiguration {
  /** Absent where there is no configuration file. */
  readonly kind?: string
  readonly failSwapOn?: boolean
  readonly memorySwap?: { readonly swapBehavior?: string }
  readonly singleProcessOOMKill?: boolean
  readonly enableServer?: boolean
  readonly enableDebuggingHandlers?: boolean
  readonly address?: string
  readonly port?: number
  readonly readOnlyPort?: number
  readonly healthzPort?: number
  readonly healthzBindAddress?: string
  readonly tlsCertFile?: string
  readonly tlsPrivateKeyFile?: string
  readonly tlsCipherSuites?: readonly string[]
  readonly tlsMinVersion?: string
  readonly tlsCurvePreferences?: readonly string[]
  readonly rotateCertificates?: boolean
  readonly serverTLSBootstrap?: boolean
  readonly authentication?: {
    readonly x509?: { readonly clientCAFile?: string }
    readonly webhook?: { readonly enabled?: boolean; readonly cacheTTL?: number }
    readonly anonymous?: { readonly enabled?: boolean }
  }
  readonly authorization?: {
    readonly mode?: string
    readonly webhook?: { readonly cacheAuthorizedTTL?: number; readonly cacheUnauthorizedTTL?: number }
  }
  readonly streamingConnectionIdleTimeout?: number
  readonly clusterDNS?: readonly string[]
  readonly clusterDomain?: string
  readonly resolvConf?: string
  readonly hairpinMode?: string
  readonly staticPodPath?: string
  readonly staticPodURL?: string
  readonly staticPodURLHeader?: Readonly<Record<string, readonly string[]>>
  readonly fileCheckFrequency?: number
  readonly httpCheckFrequency?: number
  readonly syncFrequency?: number
  readonly podLogsDir?: string
  readonly maxPods?: number
  readonly podsPerCore?: number
  readonly podPidsLimit?: number
  readonly maxOpenFiles?: number
  readonly oomScoreAdj?: number
  readonly registerNode?: boolean
  readonly nodeStatusUpdateFrequency?: number
  readonly nodeStatusReportFrequency?: number
  readonly nodeLeaseDurationSeconds?: number
  readonly nodeStatusMaxImages?: number
  readonly providerID?: string
  readonly registerWithTaints?: readonly Taint[]
  readonly eventRecordQPS?: number
  readonly eventBurst?: number
  readonly kubeAPIQPS?: number
  readonly kubeAPIBurst?: number
  readonly runtimeRequestTimeout?: number
  readonly imageMinimumGCAge?: number
  readonly imageMaximumGCAge?: number
  readonly imageGCHighThresholdPercent?: number
  readonly imageGCLowThresholdPercent?: number
  readonly serializeImagePulls?: boolean
  readonly maxParallelImagePulls?: number
  readonly registryPullQPS?: number
  readonly registryBurst?: number
  readonly imagePullCredentialsVerificationPolicy?: string
  readonly preloadedImagesVerificationAllowlist?: readonly string[]
  readonly evictionHard?: Texts
  readonly evictionSoft?: Texts
  readonly evictionSoftGracePeriod?: Texts
  readonly evictionMinimumReclaim?: Texts
  readonly evictionPressureTransitionPeriod?: number
  readonly evictionMaxPodGracePeriod?: number
  readonly mergeDefaultEvictionSettings?: boolean
  readonly localStorageCapacityIsolation?: boolean
  readonly volumeStatsAggPeriod?: number
  readonly containerLogMaxSize?: string
  readonly containerLogMaxFiles?: number
  readonly containerLogMaxWorkers?: number
  readonly containerLogMonitorInterval?: number
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod?: number }
  readonly shutdownGracePeriod?: number
  readonly shutdownGracePeriodCriticalPods?: number
  readonly shutdownGracePeriodByPodPriority?: readonly {
    readonly priority?: number
    readonly shutdownGracePeriodSeconds?: number
  }[]
  readonly cgroupRoot?: string
  readonly cgroupsPerQOS?: boolean
  readonly systemCgroups?: string
  readonly systemReserved?: Texts
  readonly kubeReserved?: Texts
  readonly systemReservedCgroup?: string
  readonly kubeReservedCgroup?: string
  readonly reservedSystemCPUs?: string
  readonly enforceNodeAllocatable?: readonly string[]
  readonly cpuManagerPolicy?: string
  readonly cpuManagerPolicyOptions?: Texts
  readonly memoryManagerPolicy?: string
  readonly reservedMemory?: readonly { readonly numaNode?: number; readonly limits?: Texts }[]
  readonly topologyManagerPolicy?: string
  readonly topologyManagerScope?: string
  readonly topologyManagerPolicyOptions?: Texts
  readonly allowedUnsafeSysctls?: readonly string[]
  readonly seccompDefault?: boolean
  readonly protectKernelDefaults?: boolean
  readonly failCgroupV1?: boolean
  readonly cpuCFSQuota?: boolean
  readonly cpuCFSQuotaPeriod?: number
  readonly userNamespaces?: { readonly idsPerPod?: number }
  readonly memoryThrottlingFactor?: number
  readonly memoryReservationPolicy?: string
  readonly iptablesMasqueradeBit?: number
  readonly iptablesDropBit?: number
  readonly enableSystemLogHandler?: boolean
  readonly enableSystemLogQuery?: boolean
  readonly runOnce?: boolean
  readonly showHiddenMetricsForVersion?: string
  readonly logging?: LoggingConfiguration
  readonly featureGates?: Readonly<Record<string, boolean>>
}

export interface LoggingConfiguration {
  readonly format?: string
  /** In milliseconds. */
  readonly flushFrequency?: number
  readonly verbosity?: number
  readonly vmodule?: readonly { readonly filePattern?: string; readonly verbosity?: number }[]
}
