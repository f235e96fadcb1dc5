import { quantityToNumber } from '#api/meta/quantity.ts'
import { resourceAmounts, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { Taint } from '#api/types/core.v1.ts'
import { parseDuration } from '#lib/go-duration.ts'
import type { EvictionSettings } from '../eviction/eviction-manager.ts'
import type { EvictionSignal } from '../eviction/signals.ts'
import { defaultThresholds, type EvictionThreshold } from '../eviction/thresholds.ts'
import type { ImageCollectionSettings } from '../images/image-collector.ts'
import { defaultRestartDelays, type RestartDelays } from '../pod-worker/restart-backoff.ts'
import { parseCpuList } from '../cpus/cpu-list.ts'
import { idUnit } from '../user-namespaces/node-ids.ts'
import type { KubeletConfiguration } from './kubelet-configuration.ts'
import { resourcePolicies, type ResourcePolicies } from './resource-policies.ts'
import { shutdownPeriods, type ShutdownPeriod } from './shutdown-periods.ts'

/** How a kubelet is to behave: its configuration with every default filled in, in the units that the code counts in. */
export interface KubeletSettings {
  /** As it was given. */
  readonly configuration: KubeletConfiguration
  readonly maximumPods: number
  readonly podsPerCpu: number
  /** 0: no limit. */
  readonly podPidsLimit: number
  readonly heartbeat: HeartbeatSettings
  readonly taints: readonly Taint[]
  readonly images: ImageCollectionSettings
  readonly pulls: PullSettings
  readonly eviction: EvictionSettings
  readonly logs: LogSettings
  readonly restartDelays: RestartDelays
  /** Folder with the manifests of static pods; empty: none. */
  readonly staticPodPath: string
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
  readonly hasDebuggingHandlers: boolean
  /** Users and groups of a pod that wants its own. */
  readonly idsPerPod: number
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
  const given = configuration
  const { podPidsLimit = -1, nodeStatusMaxImages = 50 } = given
  const maximumRestartMs = given.crashLoopBackOff?.maxContainerRestartPeriod ?? defaultRestartDelays.maximumMs
  return {
    configuration,
    maximumPods: given.maxPods ?? 110,
    podsPerCpu: given.podsPerCore ?? 0,
    podPidsLimit: Math.max(0, podPidsLimit),
    heartbeat: heartbeatOf(given),
    taints: given.registerWithTaints ?? [],
    images: imagesOf(given),
    pulls: pullsOf(given),
    eviction: evictionOf(given),
    logs: {
      maximumBytes: quantityToNumber(given.containerLogMaxSize ?? '10Mi'),
      maximumFiles: given.containerLogMaxFiles ?? 5,
      intervalMs: given.containerLogMonitorInterval ?? 10_000,
    },
    restartDelays: {
      initialMs: Math.min(defaultRestartDelays.initialMs, maximumRestartMs),
      maximumMs: maximumRestartMs,
    },
    staticPodPath: given.staticPodPath ?? '',
    shutdown: shutdownPeriods(given),
    reserved: reservedOf(given),
    enforcesAllocatable: given.enforceNodeAllocatable?.includes('pods') ?? true,
    policies: resourcePolicies(given),
    allowedUnsafeSysctls: given.allowedUnsafeSysctls ?? [],
    usesDefaultSeccomp: given.seccompDefault ?? false,
    resolvConf: given.resolvConf ?? '/etc/resolv.conf',
    cpuQuota: {
      isEnforced: given.cpuCFSQuota ?? true,
      periodMicroseconds: (given.cpuCFSQuotaPeriod ?? 100) * 1000,
      sparesExclusive: given.cpuManagerPolicy === 'static',
    },
    reportedImages: nodeStatusMaxImages < 0 ? Infinity : nodeStatusMaxImages,
    hasDebuggingHandlers: given.enableDebuggingHandlers ?? true,
    idsPerPod: given.userNamespaces?.idsPerPod ?? idUnit,
  }
}

function heartbeatOf(given: KubeletConfiguration): HeartbeatSettings {
  const statusUpdateMs = given.nodeStatusUpdateFrequency ?? 10_000
  // Whoever asks for updates more often than the default wants them written, too.
  const reportMs = given.nodeStatusUpdateFrequency === undefined ? 300_000 : statusUpdateMs
  return {
    statusUpdateMs,
    statusReportMs: given.nodeStatusReportFrequency ?? reportMs,
    leaseSeconds: given.nodeLeaseDurationSeconds ?? 40,
  }
}

function imagesOf(given: KubeletConfiguration): ImageCollectionSettings {
  return {
    highPercent: given.imageGCHighThresholdPercent ?? 85,
    lowPercent: given.imageGCLowThresholdPercent ?? 80,
    minimumAgeMs: given.imageMinimumGCAge ?? 120_000,
    maximumAgeMs: given.imageMaximumGCAge ?? 0,
  }
}

function pullsOf(given: KubeletConfiguration): PullSettings {
  const { serializeImagePulls = true, maxParallelImagePulls, registryPullQPS = 5, registryBurst = 10 } = given
  const atOnce = serializeImagePulls ? 1 : (maxParallelImagePulls ?? Infinity)
  return { atOnce, perSecond: registryPullQPS, burst: registryBurst }
}

function evictionOf(given: KubeletConfiguration): EvictionSettings {
  const hard = thresholdsOf(given.evictionHard ?? {})
  const soft = thresholdsOf(given.evictionSoft ?? {}).map((threshold) => ({
    ...threshold,
    gracePeriodMs: parseDuration(given.evictionSoftGracePeriod?.[threshold.signal] ?? '') ?? 0,
  }))
  return {
    thresholds: [...(given.evictionHard === undefined ? defaultThresholds : hard), ...soft],
    transitionPeriodMs: given.evictionPressureTransitionPeriod ?? 300_000,
    maximumGraceSeconds: given.evictionMaxPodGracePeriod ?? 0,
  }
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
