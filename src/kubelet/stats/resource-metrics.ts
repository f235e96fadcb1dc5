import type { MetricFamily, Sample } from '#lib/metrics/metric.ts'
import type { ContainerStats } from '../cri/runtime.ts'
import { containerNameLabel } from '../pod-worker/labels.ts'
import type { NodeSnapshot } from './stats-collector.ts'
import type { SummarizedPod } from './summary.ts'

interface Row {
  readonly labels: { readonly container: string; readonly namespace: string; readonly pod: string }
  readonly stats: ContainerStats
  readonly startedAtMs: number | undefined
}

/** `/metrics/resource`: what metrics-server reads, with upstream's names and times of measurement. */
export function resourceMetrics(snapshot: NodeSnapshot, pods: readonly SummarizedPod[]): readonly MetricFamily[] {
  const rows = pods.flatMap((pod) => containerRows(snapshot, pod))
  const perPod = pods.flatMap(({ pod }) => {
    const stats = snapshot.containers.get(pod.metadata.uid) ?? []
    const labels = { namespace: pod.metadata.namespace ?? '', pod: pod.metadata.name }
    return stats.length === 0 ? [] : [{ labels, stats }]
  })
  const { usage, timeMs } = snapshot
  return [
    counter(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the container in core-seconds',
      rows.map(({ labels, stats }) => at(labels, stats, stats.cpuUsageNanoseconds / 1e9)),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set of the container in bytes',
      rows.map(({ labels, stats }) => at(labels, stats, stats.memoryWorkingSetBytes)),
    ),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds',
      rows.flatMap(({ labels, startedAtMs }) =>
        startedAtMs === undefined ? [] : [{ labels, value: startedAtMs / 1000 }],
      ),
    ),
    counter('node_cpu_usage_seconds_total', 'Cumulative cpu time consumed by the node in core-seconds', [
      { labels: {}, value: usage.cpuNanoseconds / 1e9, timestampMs: timeMs },
    ]),
    gauge('node_memory_working_set_bytes', 'Current working set of the node in bytes', [
      { labels: {}, value: usage.memoryWorkingSetBytes, timestampMs: timeMs },
    ]),
    counter(
      'pod_cpu_usage_seconds_total',
      'Cumulative cpu time consumed by the pod in core-seconds',
      perPod.map(({ labels, stats }) => at(labels, stats[0], total(stats, (each) => each.cpuUsageNanoseconds) / 1e9)),
    ),
    gauge(
      'pod_memory_working_set_bytes',
      'Current working set of the pod in bytes',
      perPod.map(({ labels, stats }) =>
        at(
          labels,
          stats[0],
          total(stats, (each) => each.memoryWorkingSetBytes),
        ),
      ),
    ),
    gauge('resource_scrape_error', '1 if there was an error while getting container metrics, 0 otherwise', [
      { labels: {}, value: 0 },
    ]),
  ]
}

function containerRows({ containers }: NodeSnapshot, { pod, runs }: SummarizedPod): readonly Row[] {
  const { name, namespace = '', uid } = pod.metadata
  return (containers.get(uid) ?? []).map((stats) => ({
    labels: { container: stats.labels[containerNameLabel] ?? '', namespace, pod: name },
    stats,
    startedAtMs: runs.find(({ id }) => id === stats.id)?.startedAtMs,
  }))
}

function at(labels: Sample['labels'], stats: ContainerStats | undefined, value: number): Sample {
  return { labels, value, ...(stats && { timestampMs: stats.timestampMs }) }
}

function total(stats: readonly ContainerStats[], valueOf: (stats: ContainerStats) => number): number {
  return stats.reduce((sum, each) => sum + valueOf(each), 0)
}

function counter(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, help, type: 'counter', samples }
}

function gauge(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, help, type: 'gauge', samples }
}
