import { Counter } from '#lib/metrics/counter.ts'
import { Histogram } from '#lib/metrics/histogram.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'

/** 0.05 ms doubled fifteen times. */
const admissionBuckets = Array.from({ length: 15 }, (_, index) => 0.05 * 2 ** index)

/** What the managers of processors, memory and topology count, under upstream's names. */
export class ManagerMetrics {
  readonly cpuRequests = new Counter({
    name: 'kubelet_cpu_manager_pinning_requests_total',
    help: 'The number of cpu core allocations which required pinning.',
  })
  readonly cpuErrors = new Counter({
    name: 'kubelet_cpu_manager_pinning_errors_total',
    help: 'The number of cpu core allocations which required pinning failed.',
  })
  readonly memoryRequests = new Counter({
    name: 'kubelet_memory_manager_pinning_requests_total',
    help: 'The number of memory pages allocations which required pinning.',
  })
  readonly memoryErrors = new Counter({
    name: 'kubelet_memory_manager_pinning_errors_total',
    help: 'The number of memory pages allocations which required pinning that failed.',
  })
  readonly admissions = new Counter({
    name: 'kubelet_topology_manager_admission_requests_total',
    help: 'The number of admission requests where resources have to be aligned.',
  })
  readonly admissionErrors = new Counter({
    name: 'kubelet_topology_manager_admission_errors_total',
    help: 'The number of admission request failures where resources could not be aligned.',
  })
  readonly admissionMs = new Histogram({
    name: 'kubelet_topology_manager_admission_duration_ms',
    help: 'Duration in milliseconds to serve a pod admission request.',
    buckets: admissionBuckets,
  })

  constructor() {
    // What has not happened yet is 0, not unknown: rules look at how these rise.
    const counters = [this.cpuRequests, this.cpuErrors, this.memoryRequests, this.memoryErrors]
    for (const counter of [...counters, this.admissions, this.admissionErrors]) counter.add({}, 0)
  }

  read(): readonly MetricFamily[] {
    const { cpuRequests, cpuErrors, memoryRequests, memoryErrors, admissions, admissionErrors, admissionMs } = this
    return [cpuRequests, cpuErrors, memoryRequests, memoryErrors, admissions, admissionErrors, admissionMs].map(
      (metric) => metric.read(),
    )
  }
}
