/** What the kernel counts of a control group beside what the runtime tells. */
export interface CgroupUsage {
  readonly cpu: {
    readonly userSeconds: number
    readonly systemSeconds: number
    readonly periods: number
    readonly throttledPeriods: number
    readonly throttledSeconds: number
    readonly shares: number
    /** Microseconds for each period; absent: no limit. */
    readonly quotaMicroseconds?: number
    readonly periodMicroseconds: number
  }
  readonly memory: {
    readonly cacheBytes: number
    readonly mappedFileBytes: number
    readonly swapBytes: number
    readonly maximumBytes: number
    readonly failures: number
    /** 0: no limit. */
    readonly limitBytes: number
  }
  readonly processes: number
  readonly threads: number
  readonly disks: readonly DiskUsage[]
}

export interface DiskUsage {
  /** Its numbers, such as `8:0`. */
  readonly device: string
  readonly reads: number
  readonly writes: number
  readonly readBytes: number
  readonly writtenBytes: number
}

/** The files that `parseCgroupUsage` reads, by controller. */
export const usageFiles = {
  1: {
    cpu: ['cpu.stat', 'cpu.shares', 'cpu.cfs_quota_us', 'cpu.cfs_period_us'],
    cpuacct: ['cpuacct.stat'],
    memory: ['memory.stat', 'memory.max_usage_in_bytes', 'memory.failcnt', 'memory.limit_in_bytes'],
    pids: ['pids.current', 'cgroup.procs'],
    blkio: ['blkio.throttle.io_serviced', 'blkio.throttle.io_service_bytes'],
  },
  2: {
    '': [
      ...['cpu.stat', 'cpu.max', 'cpu.weight', 'memory.stat', 'memory.peak', 'memory.events', 'memory.max'],
      ...['memory.swap.current', 'pids.current', 'cgroup.procs', 'io.stat'],
    ],
  },
} as const satisfies Record<1 | 2, Readonly<Record<string, readonly string[]>>>

/** Reads the files of a group by the kernel's documents of both versions; a file that is not there counts as nothing. */
export function parseCgroupUsage(version: 1 | 2, files: Readonly<Record<string, string>>): CgroupUsage {
  return version === 1 ? usageV1(files) : usageV2(files)
}

type Texts = Readonly<Record<string, string>>

const microsecondsPerSecond = 1e6
const nanosecondsPerSecond = 1e9
const ticksPerSecond = 100
/** The kernel's "no limit" of v1 is the largest number of pages. */
const noLimitBytes = 2 ** 62

function usageV1(files: Texts): CgroupUsage {
  const cpu = fields(files['cpu.stat'])
  const ticks = fields(files['cpuacct.stat'])
  const memory = fields(files['memory.stat'])
  const quota = Number(files['cpu.cfs_quota_us'] ?? -1)
  const limitBytes = Number(files['memory.limit_in_bytes'] ?? 0)
  return {
    cpu: {
      userSeconds: (ticks['user'] ?? 0) / ticksPerSecond,
      systemSeconds: (ticks['system'] ?? 0) / ticksPerSecond,
      periods: cpu['nr_periods'] ?? 0,
      throttledPeriods: cpu['nr_throttled'] ?? 0,
      throttledSeconds: (cpu['throttled_time'] ?? 0) / nanosecondsPerSecond,
      shares: Number(files['cpu.shares'] ?? 0),
      ...(quota > 0 && { quotaMicroseconds: quota }),
      periodMicroseconds: Number(files['cpu.cfs_period_us'] ?? 0),
    },
    memory: {
      cacheBytes: memory['cache'] ?? 0,
      mappedFileBytes: memory['mapped_file'] ?? 0,
      swapBytes: memory['swap'] ?? 0,
      maximumBytes: Number(files['memory.max_usage_in_bytes'] ?? 0),
      failures: Number(files['memory.failcnt'] ?? 0),
      limitBytes: limitBytes >= noLimitBytes ? 0 : limitBytes,
    },
    ...population(files),
    disks: disksV1(files),
  }
}

function usageV2(files: Texts): CgroupUsage {
  const cpu = fields(files['cpu.stat'])
  const memory = fields(files['memory.stat'])
  const [quota = 'max', period = '0'] = (files['cpu.max'] ?? '').trim().split(' ')
  const weight = Number(files['cpu.weight'] ?? 0)
  const limit = (files['memory.max'] ?? 'max').trim()
  return {
    cpu: {
      userSeconds: (cpu['user_usec'] ?? 0) / microsecondsPerSecond,
      systemSeconds: (cpu['system_usec'] ?? 0) / microsecondsPerSecond,
      periods: cpu['nr_periods'] ?? 0,
      throttledPeriods: cpu['nr_throttled'] ?? 0,
      throttledSeconds: (cpu['throttled_usec'] ?? 0) / microsecondsPerSecond,
      // Weights 1 to 10000 stand for shares 2 to 262144 (KEP-2254).
      shares: weight === 0 ? 0 : Math.round(2 + ((weight - 1) * 262_142) / 9999),
      ...(/^\d+$/.test(quota) && { quotaMicroseconds: Number(quota) }),
      periodMicroseconds: Number(period),
    },
    memory: {
      cacheBytes: memory['file'] ?? 0,
      mappedFileBytes: memory['file_mapped'] ?? 0,
      swapBytes: Number(files['memory.swap.current'] ?? 0),
      maximumBytes: Number(files['memory.peak'] ?? 0),
      failures: fields(files['memory.events'])['max'] ?? 0,
      limitBytes: limit === 'max' ? 0 : Number(limit),
    },
    ...population(files),
    disks: disksV2(files['io.stat']),
  }
}

function population(files: Texts): Pick<CgroupUsage, 'processes' | 'threads'> {
  return { processes: lines(files['cgroup.procs']).length, threads: Number(files['pids.current'] ?? 0) }
}

/** Lines such as `8:0 Read 4096`, one for each device and operation. */
function disksV1(files: Texts): readonly DiskUsage[] {
  const rows = (file: string): readonly (readonly string[])[] => lines(files[file]).map((line) => line.split(' '))
  const value = (file: string, device: string, operation: string): number =>
    Number(rows(file).find(([name, kind]) => name === device && kind === operation)?.[2] ?? 0)
  const [counts, bytes] = ['blkio.throttle.io_serviced', 'blkio.throttle.io_service_bytes']
  const devices = new Set(rows(bytes).flatMap(([device = '', kind]) => (kind === 'Read' ? [device] : [])))
  return [...devices].map((device) => ({
    device,
    reads: value(counts, device, 'Read'),
    writes: value(counts, device, 'Write'),
    readBytes: value(bytes, device, 'Read'),
    writtenBytes: value(bytes, device, 'Write'),
  }))
}

/** Lines such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function disksV2(text: string | undefined): readonly DiskUsage[] {
  return lines(text).map((line) => {
    const [device = '', ...pairs] = line.split(' ')
    const values = Object.fromEntries(pairs.map((pair) => pair.split('=')))
    const of = (name: string): number => Number(values[name] ?? 0)
    return { device, reads: of('rios'), writes: of('wios'), readBytes: of('rbytes'), writtenBytes: of('wbytes') }
  })
}

/** Lines of a name and a number. */
function fields(text: string | undefined): Readonly<Record<string, number>> {
  return Object.fromEntries(
    lines(text)
      .map((line) => line.split(' '))
      .map(([name, value]) => [name, Number(value)]),
  )
}

function lines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').filter((line) => line !== '')
}
