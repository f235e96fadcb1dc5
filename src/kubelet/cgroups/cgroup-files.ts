/** Absent or 0 means "no limit". */
export interface CgroupSettings {
  readonly cpuShares?: number
  /** Microseconds per period. */
  readonly cpuQuota?: number
  readonly cpuPeriod?: number
  readonly memoryLimitBytes?: number
  readonly pidsLimit?: number
  /** By size of the pages, such as `2MB`; 0 is a limit here. */
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limitBytes: number }[]
}

export type LimitedController = 'cpu' | 'memory' | 'pids' | 'hugetlb'

type FileEntry = readonly [file: string, value: string]

/** The files of a control group and what to write into them, in order, by the kernel's cgroup-v1 and cgroup-v2 documents. */
export function cgroupFiles(
  version: 1 | 2,
  controller: LimitedController,
  settings: CgroupSettings,
): readonly FileEntry[] {
  const { memoryLimitBytes, pidsLimit, hugepageLimits } = settings
  switch (controller) {
    case 'pids':
      return pidsLimit ? [['pids.max', String(pidsLimit)]] : []
    case 'memory':
      return memoryLimitBytes
        ? [[version === 1 ? 'memory.limit_in_bytes' : 'memory.max', String(memoryLimitBytes)]]
        : []
    case 'hugetlb':
      return (hugepageLimits ?? []).map(({ pageSize, limitBytes }) => [
        `hugetlb.${pageSize}.${version === 1 ? 'limit_in_bytes' : 'max'}`,
        String(limitBytes),
      ])
    case 'cpu':
      return version === 1 ? cpuFilesV1(settings) : cpuFilesV2(settings)
  }
}

const usualPeriodMicroseconds = 100_000

function cpuFilesV1({ cpuShares, cpuQuota, cpuPeriod = usualPeriodMicroseconds }: CgroupSettings): FileEntry[] {
  const files: FileEntry[] = cpuShares ? [['cpu.shares', String(cpuShares)]] : []
  if (cpuQuota) files.push(['cpu.cfs_period_us', String(cpuPeriod)], ['cpu.cfs_quota_us', String(cpuQuota)])
  return files
}

function cpuFilesV2({ cpuShares, cpuQuota, cpuPeriod = usualPeriodMicroseconds }: CgroupSettings): FileEntry[] {
  const files: FileEntry[] = cpuShares ? [['cpu.weight', String(cpuWeight(cpuShares))]] : []
  if (cpuQuota) files.push(['cpu.max', `${cpuQuota} ${cpuPeriod}`])
  return files
}

const leastShares = 2
const mostShares = 262_144

/**
 * Shares 2, 1024 and 262144 are the weights 1, 100 and 10000, and a parabola between their logarithms is everything
 * else: a container that asks for one CPU weighs what the kernel gives by default, as runtimes count since 2025.
 */
function cpuWeight(shares: number): number {
  if (shares <= leastShares) return 1
  if (shares >= mostShares) return 10_000
  const power = Math.log2(shares)
  return Math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))
}
