import type { KubeletConfiguration } from './kubelet-configuration.ts'

const seconds = 1_000
const minutes = 60 * seconds

/**
 * What a field means that is not given, as Kubernetes 1.36 has it. Where this kubelet lives differently (its folder of
 * logs, the address that it listens on, old control groups) there is no default here.
 */
const defaults = {
  enableServer: true,
  enableDebuggingHandlers: true,
  port: 10_250,
  healthzPort: 10_248,
  healthzBindAddress: '127.0.0.1',
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true, cacheTTL: 2 * minutes },
  },
  authorization: {
    mode: 'Webhook',
    webhook: { cacheAuthorizedTTL: 5 * minutes, cacheUnauthorizedTTL: 30 * seconds },
  },
  streamingConnectionIdleTimeout: 240 * minutes,
  resolvConf: '/etc/resolv.conf',
  hairpinMode: 'promiscuous-bridge',
  fileCheckFrequency: 20 * seconds,
  httpCheckFrequency: 20 * seconds,
  syncFrequency: 1 * minutes,
  maxPods: 110,
  podPidsLimit: -1,
  registerNode: true,
  nodeStatusUpdateFrequency: 10 * seconds,
  nodeLeaseDurationSeconds: 40,
  nodeStatusMaxImages: 50,
  runtimeRequestTimeout: 2 * minutes,
  imageMinimumGCAge: 2 * minutes,
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  registryPullQPS: 5,
  registryBurst: 10,
  imagePullCredentialsVerificationPolicy: 'NeverVerifyPreloadedImages',
  evictionPressureTransitionPeriod: 5 * minutes,
  mergeDefaultEvictionSettings: false,
  localStorageCapacityIsolation: true,
  containerLogMaxSize: '10Mi',
  containerLogMaxFiles: 5,
  containerLogMaxWorkers: 1,
  containerLogMonitorInterval: 10 * seconds,
  crashLoopBackOff: { maxContainerRestartPeriod: 5 * minutes },
  cgroupsPerQOS: true,
  enforceNodeAllocatable: ['pods'],
  cpuManagerPolicy: 'none',
  memoryManagerPolicy: 'None',
  topologyManagerPolicy: 'none',
  topologyManagerScope: 'container',
  seccompDefault: false,
  cpuCFSQuota: true,
  cpuCFSQuotaPeriod: 100,
  memoryThrottlingFactor: 0.9,
  memoryReservationPolicy: 'None',
  iptablesMasqueradeBit: 14,
  iptablesDropBit: 15,
  enableSystemLogHandler: true,
  logging: { format: '', flushFrequency: 5 * seconds, verbosity: 0 },
} as const satisfies KubeletConfiguration

/** For these zero is a value and not the absence of one. */
const zeroCounts: ReadonlySet<string> = new Set([
  ...['healthzPort', 'oomScoreAdj', 'resolvConf', 'nodeStatusMaxImages', 'registryPullQPS'],
  ...['imageGCHighThresholdPercent', 'imageGCLowThresholdPercent', 'containerLogMaxFiles', 'containerLogMaxWorkers'],
  ...['containerLogMonitorInterval', 'maxContainerRestartPeriod', 'cpuCFSQuotaPeriod', 'memoryThrottlingFactor'],
  ...['iptablesMasqueradeBit', 'iptablesDropBit'],
])

type Filled<Given, Defaults> = Given & {
  readonly [Name in keyof Defaults & keyof Given]-?: NonNullable<Given[Name]> extends infer Value
    ? Value extends readonly unknown[] | string | number | boolean
      ? Value
      : Filled<Value, Defaults[Name]>
    : never
}

/** A configuration in which every field with a default has a value. */
export type SettledConfiguration = Filled<KubeletConfiguration, typeof defaults> & {
  readonly nodeStatusReportFrequency: number
  readonly serializeImagePulls: boolean
}

/** Fills the defaults in; what is complete already stays as it is. */
export function withDefaults(given: KubeletConfiguration): SettledConfiguration {
  const { nodeStatusUpdateFrequency = 0, maxParallelImagePulls = 0, podPidsLimit = -1 } = given
  return fill(
    { ...given, podPidsLimit: Math.max(-1, podPidsLimit) },
    {
      ...defaults,
      // Whoever asks for updates more often than the default wants them written, too.
      nodeStatusReportFrequency: nodeStatusUpdateFrequency || 5 * minutes,
      serializeImagePulls: maxParallelImagePulls < 2,
    },
  ) as SettledConfiguration
}

function fill(given: object, wanted: object): object {
  const result: Record<string, unknown> = { ...given }
  for (const [name, value] of Object.entries(wanted) as [string, unknown][]) {
    const own = result[name]
    const isObject = typeof value === 'object' && !Array.isArray(value)
    if (isObject) result[name] = fill((own as object | undefined) ?? {}, value as object)
    else if (own === undefined || ((own === 0 || own === '') && !zeroCounts.has(name))) result[name] = value
  }
  return result
}
