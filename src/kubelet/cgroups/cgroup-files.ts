import { cpuPeriodMicroseconds } from './pod-resources.ts'

/** Absent or 0 means "no limit". */
export interface CgroupSettings {
  readonly cpuShares?: number
  readonly cpuQuota?: number
  readonly memoryLimitBytes?: number
}

type FileEntry = readonly [file: string, value: string]

/** The files of a control group and what to write into them, in order, by the kernel's cgroup-v1 and cgroup-v2 documents. */
export function cgroupFiles(
  version: 1 | 2,
  controller: 'cpu' | 'memory',
  settings: CgroupSettings,
): readonly FileEntry[] {
  return version === 1 ? filesV1(controller, settings) : filesV2(controller, settings)
}

function filesV1(controller: 'cpu' | 'memory', { cpuShares, cpuQuota, memoryLimitBytes }: CgroupSettings): FileEntry[] {
  if (controller === 'memory') return memoryLimitBytes ? [['memory.limit_in_bytes', String(memoryLimitBytes)]] : []
  const files: FileEntry[] = cpuShares ? [['cpu.shares', String(cpuShares)]] : []
  if (cpuQuota) files.push(['cpu.cfs_period_us', String(cpuPeriodMicroseconds)], ['cpu.cfs_quota_us', String(cpuQuota)])
  return files
}

function filesV2(controller: 'cpu' | 'memory', { cpuShares, cpuQuota, memoryLimitBytes }: CgroupSettings): FileEntry[] {
  if (controller === 'memory') return memoryLimitBytes ? [['memory.max', String(memoryLimitBytes)]] : []
  const files: FileEntry[] = cpuShares ? [['cpu.weight', String(cpuWeight(cpuShares))]] : []
  if (cpuQuota) files.push(['cpu.max', `${cpuQuota} ${cpuPeriodMicroseconds}`])
  return files
}

/** Shares 2 to 262144 map to weights 1 to 10000 (KEP-2254). */
function cpuWeight(shares: number): number {
  return Math.floor(1 + ((Math.min(shares, 262_144) - 2) * 9999) / 262_142)
}
