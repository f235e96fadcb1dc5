import type { MetricFamily, Sample } from '#lib/metrics/metric.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { ContainerStats, InterfaceStats } from '../cri/runtime.ts'
import { containerNameLabel } from '../pod-worker/labels.ts'
import type { MachineFacts } from '../node/node-machine.ts'
import type { NodeSnapshot } from './stats-collector.ts'
import type { SummarizedPod } from './summary.ts'

type Labels = Sample['labels']

interface ContainerRow {
  readonly labels: Labels
  readonly stats: ContainerStats
  readonly run: ContainerStatus | undefined
}

interface FamilyRule<Subject> {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  /** Labels beside those of the container or interface. */
  readonly more?: Labels
  readonly valueOf: (subject: Subject) => number | undefined
}

const containerRules: readonly FamilyRule<ContainerRow>[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    type: 'counter',
    more: { cpu: 'total' },
    valueOf: ({ stats }) => stats.cpuUsageNanoseconds / 1e9,
  },
  {
    name: 'container_memory_usage_bytes',
    help: 'Current memory usage in bytes, including all memory regardless of when it was accessed',
    type: 'gauge',
    valueOf: ({ stats }) => stats.memoryUsageBytes,
  },
  {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set in bytes.',
    type: 'gauge',
    valueOf: ({ stats }) => stats.memoryWorkingSetBytes,
  },
  {
    name: 'container_memory_rss',
    help: 'Size of RSS in bytes.',
    type: 'gauge',
    valueOf: ({ stats }) => stats.memoryRssBytes,
  },
  {
    name: 'container_memory_failures_total',
    help: 'Cumulative count of memory allocation failures.',
    type: 'counter',
    more: { failure_type: 'pgfault', scope: 'container' },
    valueOf: ({ stats }) => stats.pageFaults,
  },
  {
    name: 'container_fs_usage_bytes',
    help: 'Number of bytes that are consumed by the container on this filesystem.',
    type: 'gauge',
    valueOf: ({ stats }) => stats.writableLayerBytes,
  },
  {
    name: 'container_start_time_seconds',
    help: 'Start time of the container since unix epoch in seconds.',
    type: 'gauge',
    valueOf: ({ run }) => run && run.startedAtMs / 1000,
  },
  {
    name: 'container_last_seen',
    help: 'Last time a container was seen by the exporter',
    type: 'gauge',
    valueOf: ({ stats }) => stats.timestampMs / 1000,
  },
]

const interfaceRules: readonly FamilyRule<InterfaceStats>[] = [
  {
    name: 'container_network_receive_bytes_total',
    help: 'Cumulative count of bytes received',
    type: 'counter',
    valueOf: (each) => each.receivedBytes,
  },
  {
    name: 'container_network_receive_errors_total',
    help: 'Cumulative count of errors encountered while receiving',
    type: 'counter',
    valueOf: (each) => each.receiveErrors,
  },
  {
    name: 'container_network_transmit_bytes_total',
    help: 'Cumulative count of bytes transmitted',
    type: 'counter',
    valueOf: (each) => each.sentBytes,
  },
  {
    name: 'container_network_transmit_errors_total',
    help: 'Cumulative count of errors encountered while transmitting',
    type: 'counter',
    valueOf: (each) => each.sendErrors,
  },
]

/** `/metrics/cadvisor`: the figures that dashboards for containers are built on, as far as the runtime measures them. */
export function cadvisorMetrics(
  snapshot: NodeSnapshot,
  pods: readonly SummarizedPod[],
  facts: MachineFacts,
): readonly MetricFamily[] {
  const rows = pods.flatMap((pod) => containerRows(snapshot, pod))
  const interfaces = pods.flatMap(({ pod }) => {
    const { name, namespace = '', uid } = pod.metadata
    const own = snapshot.sandboxes.get(uid)
    const labels = { container: '', id: own?.id ?? '', image: '', name: own?.id ?? '', namespace, pod: name }
    return (own?.interfaces ?? []).map((each) => ({ labels: { ...labels, interface: each.name }, subject: each }))
  })
  const containers = rows.map((row) => ({ labels: row.labels, subject: row }))
  return [
    ...containerRules.map((rule) => withNode(family(rule, containers), snapshot)),
    ...interfaceRules.map((rule) => family(rule, interfaces)),
    machineFamily('machine_cpu_cores', 'Number of logical CPU cores.', facts.cpus),
    machineFamily('machine_memory_bytes', 'Amount of memory installed on the machine.', facts.memoryBytes),
  ]
}

function containerRows({ containers }: NodeSnapshot, { pod, runs }: SummarizedPod): readonly ContainerRow[] {
  const { name, namespace = '', uid } = pod.metadata
  return (containers.get(uid) ?? []).map((stats) => {
    const run = runs.find(({ id }) => id === stats.id)
    const container = stats.labels[containerNameLabel] ?? ''
    return {
      stats,
      run,
      labels: { container, id: stats.id, image: run?.image ?? '', name: stats.id, namespace, pod: name },
    }
  })
}

function family<Subject>(
  { name, help, type, more, valueOf }: FamilyRule<Subject>,
  rows: readonly { readonly labels: Labels; readonly subject: Subject }[],
): MetricFamily {
  const samples = rows.flatMap(({ labels, subject }) => {
    const value = valueOf(subject)
    return value === undefined ? [] : [{ labels: { ...labels, ...more }, value }]
  })
  return { name, help, type, samples }
}

/** The whole node stands there too, as the container at the top. */
function withNode(metric: MetricFamily, { usage }: NodeSnapshot): MetricFamily {
  const values: Readonly<Record<string, readonly [number, Labels?]>> = {
    container_cpu_usage_seconds_total: [usage.cpuNanoseconds / 1e9, { cpu: 'total' }],
    container_memory_usage_bytes: [usage.memoryUsageBytes],
    container_memory_working_set_bytes: [usage.memoryWorkingSetBytes],
    container_memory_rss: [usage.memoryRssBytes],
  }
  const [value, more] = values[metric.name] ?? []
  if (value === undefined) return metric
  const labels = { container: '', id: '/', image: '', name: '', namespace: '', pod: '', ...more }
  return { ...metric, samples: [{ labels, value }, ...metric.samples] }
}

function machineFamily(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] }
}
