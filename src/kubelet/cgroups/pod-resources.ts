import { computePodQosClass, type PodQosClass } from '#api/core/v1/pod-qos.ts'
import { podLimits, podRequests } from '#api/core/v1/pod-resources.ts'
import { resourceAmount } from '#api/core/v1/resource-amounts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { CpuQuotaSettings } from '../configuration/kubelet-settings.ts'
import { exclusiveCpus, hasExclusiveCpus } from '../cpus/exclusive-cpus.ts'
import { hugePageResource, hugePageSize } from '../node/huge-pages.ts'
import type { CgroupSettings } from './cgroup-files.ts'
import type { ContainerResources } from '../cri/container.ts'
import { unifiedSettings, type UnifiedNode } from './unified-settings.ts'

/** The kernel's smallest share, and what a CPU counts for. */
export const minimumCpuShares = 2
const sharesPerCpu = 1024
const minimumQuotaMicroseconds = 1000

export function cpuShares(milliCpu: number): number {
  return Math.max(minimumCpuShares, Math.floor((milliCpu * sharesPerCpu) / 1000))
}

/** Microseconds per period; 0 for no limit. */
function cpuQuota(milliCpu: number, { isEnforced, periodMicroseconds }: CpuQuotaSettings): number {
  if (milliCpu <= 0 || !isEnforced) return 0
  return Math.max(minimumQuotaMicroseconds, Math.floor((milliCpu * periodMicroseconds) / 1000))
}

export interface ContainerResourceContext {
  readonly memoryCapacityBytes: number
  readonly quota: CpuQuotaSettings
  /** In bytes: containers have a limit on each, and none by default. */
  readonly hugePageSizes: readonly number[]
  /** Absent: the node has cgroup v1. */
  readonly unified?: UnifiedNode
}

/** Settings of a container's own cgroup (API reference, ResourceRequirements). */
export function containerResources(
  pod: Pod,
  container: Container,
  { memoryCapacityBytes, quota, hugePageSizes, unified }: ContainerResourceContext,
): ContainerResources {
  const { requests = {}, limits: own = {} } = container.resources ?? {}
  // What the pod as a whole may use is the limit of each container that has none of its own (KEP-2837).
  const whole = pod.spec.resources?.limits
  const limits: Readonly<Record<string, string>> = {
    ...(whole?.['cpu'] && { cpu: whole['cpu'] }),
    ...(whole?.['memory'] && { memory: whole['memory'] }),
    ...own,
  }
  const cpuLimit = resourceAmount('cpu', limits['cpu'] ?? '0')
  const cpuRequest = requests['cpu'] === undefined ? cpuLimit : resourceAmount('cpu', requests['cpu'])
  return {
    cpuShares: cpuShares(cpuRequest),
    cpuPeriod: quota.periodMicroseconds,
    cpuQuota: quota.sparesExclusive && exclusiveCpus(pod, container) > 0 ? 0 : cpuQuota(cpuLimit, quota),
    memoryLimitBytes: resourceAmount('memory', limits['memory'] ?? '0'),
    oomScoreAdj: oomScoreAdj(pod, container, memoryCapacityBytes),
    hugepageLimits: hugePageSizes.map((size) => ({
      pageSize: hugePageSize(size),
      limitBytes: resourceAmount('memory', limits[hugePageResource(size)] ?? '0'),
    })),
    ...(unified && { unified: unifiedSettings(pod, container, unified, memoryCapacityBytes) }),
  }
}

/** Settings of a pod's cgroup: a limit holds only where every container has one. */
export function podCgroupSettings(pod: Pod, quota: CpuQuotaSettings, hugePageSizes: readonly number[]): CgroupSettings {
  const requests = podRequests(pod)
  const limits = podLimits(pod)
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  const isLimited = (name: string): boolean =>
    pod.spec.resources?.limits?.[name] !== undefined ||
    containers.every(({ resources }) => resources?.limits?.[name] !== undefined)
  const isSpared = quota.sparesExclusive && hasExclusiveCpus(pod)
  return {
    cpuShares: cpuShares(requests['cpu'] ?? 0),
    cpuQuota: isLimited('cpu') && !isSpared ? cpuQuota(limits['cpu'] ?? 0, quota) : 0,
    cpuPeriod: quota.periodMicroseconds,
    memoryLimitBytes: isLimited('memory') ? (limits['memory'] ?? 0) : 0,
    hugepageLimits: hugePageSizes.map((size) => ({
      pageSize: hugePageSize(size),
      limitBytes: limits[hugePageResource(size)] ?? 0,
    })),
  }
}

const nodeCriticalPriority = 2_000_001_000

/** Which container the kernel kills first when memory runs out: those that asked for the least of what they use. */
function oomScoreAdj(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  const qos: PodQosClass = pod.status?.qosClass ?? computePodQosClass(pod.spec)
  if ((pod.spec.priority ?? 0) >= nodeCriticalPriority || qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const request = memoryRequest(container) + podLevelShare(pod)
  const score = 1000 - Math.floor((1000 * request) / Math.max(memoryCapacityBytes, 1))
  // Never as safe as a guaranteed pod, never as exposed as a best-effort one.
  return Math.min(Math.max(score, 3), 999)
}

function memoryRequest({ resources }: Container): number {
  return resourceAmount('memory', resources?.requests?.['memory'] ?? '0')
}

/** What the pod as a whole asks for beyond its containers' own requests, as each of them has a part in it. */
function podLevelShare({ spec }: Pod): number {
  const whole = spec.resources?.requests?.['memory']
  if (whole === undefined) return 0
  const asked = spec.containers.reduce((sum, container) => sum + memoryRequest(container), 0)
  return Math.max(0, resourceAmount('memory', whole) - asked) / spec.containers.length
}
