import type { Sample } from '#lib/metrics/metric.ts'
import type { GroupUsage } from '../cgroups/read-usage.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { ContainerStats } from '../cri/runtime.ts'
import type { InterfaceCounters } from '../node/linux-usage.ts'

type Labels = Sample['labels']

/** One container of a pod, as far as it was measured. */
export interface ContainerRow {
  readonly stats: ContainerStats
  readonly run: ContainerStatus | undefined
  readonly group: GroupUsage | undefined
  /** Names of disks by their numbers. */
  readonly diskNames: ReadonlyMap<string, string>
}

/** A value, and labels of its own if it has any. */
export type RuleValue = readonly [value: number | undefined, more?: Labels]

export interface FamilyRule<Subject> {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly valuesOf: (subject: Subject) => readonly RuleValue[]
}

type Row<Subject> = readonly [
  name: string,
  type: FamilyRule<Subject>['type'],
  help: string,
  valueOf: (subject: Subject) => number | undefined | readonly RuleValue[],
]

function rules<Subject>(rows: readonly Row<Subject>[]): readonly FamilyRule<Subject>[] {
  return rows.map(([name, type, help, valueOf]) => ({
    name,
    type,
    help,
    valuesOf(subject) {
      const value = valueOf(subject)
      return typeof value === 'object' ? value : [[value]]
    },
  }))
}

/** One value for each disk that the container has used. */
function perDisk(
  { group, diskNames }: ContainerRow,
  valueOf: (disk: GroupUsage['disks'][number]) => number,
): readonly RuleValue[] {
  return (group?.disks ?? []).map((disk) => [valueOf(disk), { device: diskNames.get(disk.device) ?? disk.device }])
}

function failures({ stats }: ContainerRow): readonly RuleValue[] {
  return (['container', 'hierarchy'] as const).flatMap((scope): RuleValue[] => [
    [stats.pageFaults, { failure_type: 'pgfault', scope }],
    [stats.majorPageFaults, { failure_type: 'pgmajfault', scope }],
  ])
}

/** The families of containers that dashboards and alerts for Kubernetes are built on, with cAdvisor's names and words. */
export const containerRules = rules<ContainerRow>([
  [
    'container_cpu_usage_seconds_total',
    'counter',
    'Cumulative cpu time consumed in seconds.',
    ({ stats }) => [[stats.cpuUsageNanoseconds / 1e9, { cpu: 'total' }]],
  ],
  [
    'container_cpu_user_seconds_total',
    'counter',
    'Cumulative user cpu time consumed in seconds.',
    ({ group }) => group?.cpu.userSeconds,
  ],
  [
    'container_cpu_system_seconds_total',
    'counter',
    'Cumulative system cpu time consumed in seconds.',
    ({ group }) => group?.cpu.systemSeconds,
  ],
  // Only whoever has a quota can be held back by it.
  [
    'container_cpu_cfs_periods_total',
    'counter',
    'Number of elapsed enforcement period intervals.',
    ({ group }) => (group?.cpu.quotaMicroseconds === undefined ? undefined : group.cpu.periods),
  ],
  [
    'container_cpu_cfs_throttled_periods_total',
    'counter',
    'Number of throttled period intervals.',
    ({ group }) => (group?.cpu.quotaMicroseconds === undefined ? undefined : group.cpu.throttledPeriods),
  ],
  [
    'container_cpu_cfs_throttled_seconds_total',
    'counter',
    'Total time duration the container has been throttled.',
    ({ group }) => (group?.cpu.quotaMicroseconds === undefined ? undefined : group.cpu.throttledSeconds),
  ],
  [
    'container_memory_usage_bytes',
    'gauge',
    'Current memory usage in bytes, including all memory regardless of when it was accessed',
    ({ stats }) => stats.memoryUsageBytes,
  ],
  [
    'container_memory_working_set_bytes',
    'gauge',
    'Current working set in bytes.',
    ({ stats }) => stats.memoryWorkingSetBytes,
  ],
  ['container_memory_rss', 'gauge', 'Size of RSS in bytes.', ({ stats }) => stats.memoryRssBytes],
  ['container_memory_cache', 'gauge', 'Number of bytes of page cache memory.', ({ group }) => group?.memory.cacheBytes],
  [
    'container_memory_mapped_file',
    'gauge',
    'Size of memory mapped files in bytes.',
    ({ group }) => group?.memory.mappedFileBytes,
  ],
  ['container_memory_swap', 'gauge', 'Container swap usage in bytes.', ({ group }) => group?.memory.swapBytes],
  [
    'container_memory_max_usage_bytes',
    'gauge',
    'Maximum memory usage recorded in bytes',
    ({ group }) => group?.memory.maximumBytes,
  ],
  ['container_memory_failcnt', 'counter', 'Number of memory usage hits limits', ({ group }) => group?.memory.failures],
  ['container_memory_failures_total', 'counter', 'Cumulative count of memory allocation failures.', failures],
  [
    'container_fs_usage_bytes',
    'gauge',
    'Number of bytes that are consumed by the container on this filesystem.',
    ({ stats }) => stats.writableLayerBytes,
  ],
  [
    'container_fs_reads_total',
    'counter',
    'Cumulative count of reads completed',
    (row) => perDisk(row, ({ reads }) => reads),
  ],
  [
    'container_fs_writes_total',
    'counter',
    'Cumulative count of writes completed',
    (row) => perDisk(row, ({ writes }) => writes),
  ],
  [
    'container_fs_reads_bytes_total',
    'counter',
    'Cumulative count of bytes read',
    (row) => perDisk(row, ({ readBytes }) => readBytes),
  ],
  [
    'container_fs_writes_bytes_total',
    'counter',
    'Cumulative count of bytes written',
    (row) => perDisk(row, ({ writtenBytes }) => writtenBytes),
  ],
  [
    'container_processes',
    'gauge',
    'Number of processes running inside the container.',
    ({ group }) => group?.processes,
  ],
  ['container_threads', 'gauge', 'Number of threads running inside the container', ({ group }) => group?.threads],
  ['container_spec_cpu_period', 'gauge', 'CPU period of the container.', ({ group }) => group?.cpu.periodMicroseconds],
  ['container_spec_cpu_quota', 'gauge', 'CPU quota of the container.', ({ group }) => group?.cpu.quotaMicroseconds],
  ['container_spec_cpu_shares', 'gauge', 'CPU share of the container.', ({ group }) => group?.cpu.shares],
  [
    'container_spec_memory_limit_bytes',
    'gauge',
    'Memory limit for the container.',
    ({ group }) => group?.memory.limitBytes,
  ],
  [
    'container_start_time_seconds',
    'gauge',
    'Start time of the container since unix epoch in seconds.',
    ({ run }) => run && run.startedAtMs / 1000,
  ],
  [
    'container_last_seen',
    'gauge',
    'Last time a container was seen by the exporter',
    ({ stats }) => stats.timestampMs / 1000,
  ],
])

/** The families of a pod's network. */
export const interfaceRules = rules<InterfaceCounters>([
  [
    'container_network_receive_bytes_total',
    'counter',
    'Cumulative count of bytes received',
    (each) => each.receivedBytes,
  ],
  [
    'container_network_receive_packets_total',
    'counter',
    'Cumulative count of packets received',
    (each) => each.receivedPackets,
  ],
  [
    'container_network_receive_packets_dropped_total',
    'counter',
    'Cumulative count of packets dropped while receiving',
    (each) => each.receiveDrops,
  ],
  [
    'container_network_receive_errors_total',
    'counter',
    'Cumulative count of errors encountered while receiving',
    (each) => each.receiveErrors,
  ],
  [
    'container_network_transmit_bytes_total',
    'counter',
    'Cumulative count of bytes transmitted',
    (each) => each.sentBytes,
  ],
  [
    'container_network_transmit_packets_total',
    'counter',
    'Cumulative count of packets transmitted',
    (each) => each.sentPackets,
  ],
  [
    'container_network_transmit_packets_dropped_total',
    'counter',
    'Cumulative count of packets dropped while transmitting',
    (each) => each.sendDrops,
  ],
  [
    'container_network_transmit_errors_total',
    'counter',
    'Cumulative count of errors encountered while transmitting',
    (each) => each.sendErrors,
  ],
])
