import type { MetricFamily } from '#lib/metrics/metric.ts'
import { growingBuckets, type MetricSet } from '#lib/metrics/metric-set.ts'
import type { WorkQueue, WorkQueueObserver } from '#lib/work-queue.ts'
import type { Controller } from './controller.ts'

const buckets = growingBuckets(1e-8, 10, 10)

/** What the queue of a controller is called in metrics: its name without `controller`, but for those that users know otherwise. */
export function queueName({ name, queueName: own }: Pick<Controller, 'name' | 'queueName'>): string {
  return own ?? name.replace(/-controller$/, '').replaceAll('-', '_')
}

/** Counts what happens in a queue, with upstream's names. */
export function queueObserver(name: string, metrics: MetricSet): WorkQueueObserver & { worked(seconds: number): void } {
  const labels = { name }
  const adds = metrics.counter('workqueue_adds_total', 'Total number of adds handled by workqueue')
  const retries = metrics.counter('workqueue_retries_total', 'Total number of retries handled by workqueue')
  const waitHelp = 'How long in seconds an item stays in workqueue before being requested.'
  const waits = metrics.histogram('workqueue_queue_duration_seconds', waitHelp, buckets)
  const workHelp = 'How long in seconds processing an item from workqueue takes.'
  const works = metrics.histogram('workqueue_work_duration_seconds', workHelp, buckets)
  return {
    added: () => adds.add(labels),
    retried: () => retries.add(labels),
    started: (waitedMs) => waits.observe(waitedMs / 1_000, labels),
    worked: (seconds) => works.observe(seconds, labels),
  }
}

/** What the queues look like now. */
export function queueGauges(queues: ReadonlyMap<string, WorkQueue>): readonly MetricFamily[] {
  const gauge = (name: string, help: string, valueOf: (queue: WorkQueue) => number): MetricFamily => {
    const samples = [...queues].map(([queue, own]) => ({ labels: { name: queue }, value: valueOf(own) }))
    return { name, help, type: 'gauge', samples }
  }
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  return [
    gauge('workqueue_depth', 'Current depth of workqueue', ({ depth }) => depth),
    gauge(
      'workqueue_unfinished_work_seconds',
      'How many seconds of work has done that is in progress and hasn’t been observed by work_duration.',
      (queue) => sum(queue.activeMs()) / 1_000,
    ),
    gauge(
      'workqueue_longest_running_processor_seconds',
      'How many seconds has the longest running processor for workqueue been running.',
      (queue) => Math.max(0, ...queue.activeMs()) / 1_000,
    ),
  ]
}
