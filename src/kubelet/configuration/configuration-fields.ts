/** What a field of a configuration file holds. */
export type FieldShape =
  | 'boolean'
  | 'integer'
  | 'number'
  | 'string'
  | 'duration'
  | 'strings'
  | 'textMap'
  | 'headers'
  /** Text, or a number that stands for it. */
  | 'quantity'
  /** A duration, or a number of nanoseconds. */
  | 'timeOrNanoseconds'
  | { readonly fields: FieldShapes }
  | { readonly items: FieldShapes }

export interface FieldShapes {
  readonly [name: string]: FieldShape
}

const shapes = (shape: FieldShape, names: string): FieldShapes =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, shape]),
  )

const taint: FieldShapes = shapes('string', 'key value effect timeAdded')
const logFormat: FieldShapes = { splitStream: 'boolean', infoBufferSize: 'quantity' }

/** Every field of a `KubeletConfiguration` of kubelet.config.k8s.io/v1beta1, as Kubernetes 1.36 knows them. */
export const configurationFields: FieldShapes = {
  ...shapes('string', 'apiVersion kind'),
  ...shapes(
    'boolean',
    `enableServer rotateCertificates serverTLSBootstrap enableDebuggingHandlers enableContentionProfiling cgroupsPerQOS
    singleProcessOOMKill runOnce cpuCFSQuota serializeImagePulls enableControllerAttachDetach protectKernelDefaults
    makeIPTablesUtilChains failSwapOn kernelMemcgNotification enableSystemLogHandler enableSystemLogQuery
    enableProfilingHandler enableDebugFlagsHandler seccompDefault registerNode localStorageCapacityIsolation
    failCgroupV1 mergeDefaultEvictionSettings`,
  ),
  ...shapes(
    'integer',
    `port readOnlyPort registryPullQPS registryBurst eventRecordQPS eventBurst healthzPort oomScoreAdj
    nodeLeaseDurationSeconds imageGCHighThresholdPercent imageGCLowThresholdPercent maxPods podPidsLimit
    nodeStatusMaxImages maxOpenFiles kubeAPIQPS kubeAPIBurst maxParallelImagePulls evictionMaxPodGracePeriod podsPerCore
    iptablesMasqueradeBit iptablesDropBit containerLogMaxFiles containerLogMaxWorkers`,
  ),
  ...shapes(
    'duration',
    `syncFrequency fileCheckFrequency httpCheckFrequency streamingConnectionIdleTimeout nodeStatusUpdateFrequency
    nodeStatusReportFrequency imageMinimumGCAge imageMaximumGCAge volumeStatsAggPeriod cpuManagerReconcilePeriod
    runtimeRequestTimeout cpuCFSQuotaPeriod evictionPressureTransitionPeriod containerLogMonitorInterval
    shutdownGracePeriod shutdownGracePeriodCriticalPods`,
  ),
  ...shapes(
    'string',
    `staticPodPath podLogsDir staticPodURL address tlsCertFile tlsPrivateKeyFile tlsMinVersion healthzBindAddress
    clusterDomain imagePullCredentialsVerificationPolicy kubeletCgroups systemCgroups cgroupRoot cgroupDriver
    cpuManagerPolicy memoryManagerPolicy topologyManagerPolicy topologyManagerScope hairpinMode podCIDR resolvConf
    contentType containerLogMaxSize configMapAndSecretChangeDetectionStrategy reservedSystemCPUs
    showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup volumePluginDir providerID
    containerRuntimeEndpoint imageServiceEndpoint memoryReservationPolicy`,
  ),
  ...shapes(
    'strings',
    `tlsCipherSuites tlsCurvePreferences clusterDNS preloadedImagesVerificationAllowlist enforceNodeAllocatable
    allowedUnsafeSysctls`,
  ),
  ...shapes(
    'textMap',
    `cpuManagerPolicyOptions topologyManagerPolicyOptions qosReserved evictionHard evictionSoft evictionSoftGracePeriod
    evictionMinimumReclaim systemReserved kubeReserved`,
  ),
  staticPodURLHeader: 'headers',
  memoryThrottlingFactor: 'number',
  featureGates: { fields: {} },
  authentication: {
    fields: {
      x509: { fields: { clientCAFile: 'string' } },
      webhook: { fields: { enabled: 'boolean', cacheTTL: 'duration' } },
      anonymous: { fields: { enabled: 'boolean' } },
    },
  },
  authorization: {
    fields: {
      mode: 'string',
      webhook: { fields: shapes('duration', 'cacheAuthorizedTTL cacheUnauthorizedTTL') },
    },
  },
  crashLoopBackOff: { fields: { maxContainerRestartPeriod: 'duration' } },
  memorySwap: { fields: { swapBehavior: 'string' } },
  userNamespaces: { fields: { idsPerPod: 'integer' } },
  shutdownGracePeriodByPodPriority: { items: shapes('integer', 'priority shutdownGracePeriodSeconds') },
  reservedMemory: { items: { numaNode: 'integer', limits: 'textMap' } },
  registerWithTaints: { items: taint },
  tracing: { fields: { endpoint: 'string', samplingRatePerMillion: 'integer' } },
  logging: {
    fields: {
      format: 'string',
      flushFrequency: 'timeOrNanoseconds',
      verbosity: 'integer',
      vmodule: { items: { filePattern: 'string', verbosity: 'integer' } },
      options: { fields: { text: { fields: logFormat }, json: { fields: logFormat } } },
    },
  },
}
