import { quantityToNumber } from '#api/meta/quantity.ts'
import { resourceAmounts, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Taint } from '#api/types/core.v1.ts'
import { parseDuration } from '#lib/go-duration.ts'
import type { EvictionSettings } from '../eviction/eviction-manager.ts'
import { signalFacts, type EvictionSignal } from '../eviction/signals.ts'
import { defaultThresholds, type EvictionThreshold } from '../eviction/thresholds.ts'
import type { VerificationSettings } from '../images/image-access.ts'
import type { ImageCollectionSettings } from '../images/image-collector.ts'
import { defaultRestartDelays, type RestartDelays } from '../pod-worker/restart-backoff.ts'
import { parseCpuList } from '../cpus/cpu-list.ts'
import { idUnit } from '../user-namespaces/node-ids.ts'
import { withDefaults, type SettledConfiguration } from './default-configuration.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'
import { resourcePolicies, type ResourcePolicies } from './resource-policies.ts'
import { shutdownPeriods, type ShutdownPeriod } from './shutdown-periods.ts'

/** How a kubelet is to behave: its configuration with every default filled in, in the units that the code counts in. */
export interface KubeletSettings {
  readonly configuration: SettledConfiguration
  readonly maximumPods: number
  readonly podsPerCpu: number
  /** 0: no limit. */
  readonly podPidsLimit: number
  readonly heartbeat: HeartbeatSettings
  /** Whether the node makes its own object; otherwise it waits for somebody who does. */
  readonly registersNode: boolean
  /** How often what runs is compared with what should, besides events. */
  readonly compareEveryMs: number
  readonly taints: readonly Taint[]
  readonly images: ImageCollectionSettings
  readonly pulls: PullSettings
  readonly verification: VerificationSettings
  readonly eviction: EvictionSettings
  readonly logs: LogSettings
  readonly restartDelays: RestartDelays
  readonly staticPods: StaticPodSettings
  /** The lowest priority first; empty: the node goes down without ending pods. */
  readonly shutdown: readonly ShutdownPeriod[]
  /** What of the machine pods cannot have, eviction's own share apart. */
  readonly reserved: ResourceAmounts
  /** Whether pods together are kept from taking what is reserved. */
  readonly enforcesAllocatable: boolean
  readonly policies: ResourcePolicies
  readonly allowedUnsafeSysctls: readonly string[]
  readonly usesDefaultSeccomp: boolean
  /** File with the resolver's settings that pods get; empty: none. */
  readonly resolvConf: string
  readonly cpuQuota: CpuQuotaSettings
  readonly reportedImages: number
  /** Users and groups of a pod that wants its own. */
  readonly idsPerPod: number
  /** Whether the node's own disk is a resource: told, limited and evicted for. */
  readonly isolatesLocalStorage: boolean
  /** How old what is known of the use of volumes may be; 0: it is measured for each who asks; negative: for nobody. */
  readonly volumeStatsMs: number
}

/** Where manifests of static pods are looked for; empty: nowhere. */
export interface StaticPodSettings {
  readonly path: string
  readonly url: string
  readonly urlHeaders: Readonly<Record<string, readonly string[]>>
  readonly fileCheckMs: number
  readonly urlCheckMs: number
}

export interface HeartbeatSettings {
  readonly statusUpdateMs: number
  readonly statusReportMs: number
  readonly leaseSeconds: number
}

export interface PullSettings {
  /** How many pulls may run at once; Infinity: any number. */
  readonly atOnce: number
  /** Per second, averaged; 0: no limit. */
  readonly perSecond: number
  readonly burst: number
}

export interface LogSettings {
  readonly maximumBytes: number
  readonly maximumFiles: number
  /** How many logs are rotated at once. */
  readonly workers: number
  readonly intervalMs: number
}

export interface CpuQuotaSettings {
  readonly isEnforced: boolean
  readonly periodMicroseconds: number
  /** Whoever has processors of his own needs no quota on them. */
  readonly sparesExclusive: boolean
}

/** The settings that a valid configuration asks for. */
export function settingsOf(configuration: KubeletConfiguration): KubeletSettings {
  const given = withDefaults(configuration)
  const maximumRestartMs = given.crashLoopBackOff.maxContainerRestartPeriod
  return {
    configuration: given,
    maximumPods: given.maxPods,
    podsPerCpu: given.podsPerCore ?? 0,
    podPidsLimit: Math.max(0, given.podPidsLimit),
    heartbeat: {
      statusUpdateMs: given.nodeStatusUpdateFrequency,
      statusReportMs: given.nodeStatusReportFrequency,
      leaseSeconds: given.nodeLeaseDurationSeconds,
    },
    registersNode: given.registerNode,
    compareEveryMs: given.syncFrequency,
    taints: given.registerWithTaints ?? [],
    images: {
      highPercent: given.imageGCHighThresholdPercent,
      lowPercent: given.imageGCLowThresholdPercent,
      minimumAgeMs: given.imageMinimumGCAge,
      maximumAgeMs: given.imageMaximumGCAge ?? 0,
    },
    pulls: {
      atOnce: given.serializeImagePulls ? 1 : (given.maxParallelImagePulls ?? Infinity),
      perSecond: given.registryPullQPS,
      burst: given.registryBurst,
    },
    verification: {
      policy: given.imagePullCredentialsVerificationPolicy,
      allowlist: given.preloadedImagesVerificationAllowlist ?? [],
    },
    eviction: evictionOf(given),
    logs: {
      maximumBytes: quantityToNumber(given.containerLogMaxSize),
      maximumFiles: given.containerLogMaxFiles,
      workers: given.containerLogMaxWorkers,
      intervalMs: given.containerLogMonitorInterval,
    },
    restartDelays: {
      initialMs: Math.min(defaultRestartDelays.initialMs, maximumRestartMs),
      maximumMs: maximumRestartMs,
    },
    staticPods: {
      path: given.staticPodPath ?? '',
      url: given.staticPodURL ?? '',
      urlHeaders: given.staticPodURLHeader ?? {},
      fileCheckMs: given.fileCheckFrequency,
      urlCheckMs: given.httpCheckFrequency,
    },
    shutdown: shutdownPeriods(given),
    reserved: reservedOf(given),
    enforcesAllocatable: given.enforceNodeAllocatable.includes('pods'),
    policies: resourcePolicies(given),
    allowedUnsafeSysctls: given.allowedUnsafeSysctls ?? [],
    usesDefaultSeccomp: given.seccompDefault,
    resolvConf: given.resolvConf,
    cpuQuota: {
      isEnforced: given.cpuCFSQuota,
      periodMicroseconds: given.cpuCFSQuotaPeriod * 1000,
      sparesExclusive: given.cpuManagerPolicy === 'static',
    },
    idsPerPod: given.userNamespaces?.idsPerPod ?? idUnit,
    reportedImages: given.nodeStatusMaxImages < 0 ? Infinity : given.nodeStatusMaxImages,
    isolatesLocalStorage: given.localStorageCapacityIsolation,
    volumeStatsMs: given.volumeStatsAggPeriod ?? 0,
  }
}

function evictionOf(given: SettledConfiguration): EvictionSettings {
  const reclaims = given.evictionMinimumReclaim ?? {}
  const hard = thresholdsOf(given.evictionHard ?? {})
  const missing = defaultThresholds.filter(({ signal }) => given.evictionHard?.[signal] === undefined)
  const takesDefaults = given.evictionHard === undefined || given.mergeDefaultEvictionSettings
  const soft = thresholdsOf(given.evictionSoft ?? {}).map((threshold) => ({
    ...threshold,
    gracePeriodMs: parseDuration(given.evictionSoftGracePeriod?.[threshold.signal] ?? '') ?? 0,
  }))
  const thresholds = [...hard, ...(takesDefaults ? missing : []), ...soft].map((threshold) => {
    const minimumReclaim = reclaims[threshold.signal]
    return minimumReclaim === undefined ? threshold : { ...threshold, minimumReclaim }
  })
  return {
    thresholds: given.localStorageCapacityIsolation ? thresholds : thresholds.filter(isNoDiskThreshold),
    transitionPeriodMs: given.evictionPressureTransitionPeriod,
    maximumGraceSeconds: given.evictionMaxPodGracePeriod ?? 0,
    enforcesStorageLimits: given.localStorageCapacityIsolation,
  }
}

/** Whoever does not look at local storage does not evict for it. */
function isNoDiskThreshold({ signal }: EvictionThreshold): boolean {
  return signalFacts[signal].condition !== 'DiskPressure'
}

function thresholdsOf(values: Readonly<Record<string, string>>): EvictionThreshold[] {
  return Object.entries(values).map(([signal, value]) => ({ signal: signal as EvictionSignal, value }))
}

function reservedOf(given: KubeletConfiguration): ResourceAmounts {
  const together = added(resourceAmounts(given.systemReserved), resourceAmounts(given.kubeReserved))
  // Processors that are reserved by name stand for both amounts.
  return given.reservedSystemCPUs ? { ...together, cpu: parseCpuList(given.reservedSystemCPUs).size * 1000 } : together
}

function added(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]))
}

/** What a kubelet does that was told nothing. */
export const defaultSettings: KubeletSettings = settingsOf({})
