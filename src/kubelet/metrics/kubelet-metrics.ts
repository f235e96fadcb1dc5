import { Counter } from '#lib/metrics/counter.ts'
import { Histogram } from '#lib/metrics/histogram.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import { ManagerMetrics } from './manager-metrics.ts'
import type { PodIdentity } from '../pod-worker/pod-host.ts'

/** 5 ms, each two and a half times the one before: what a call to a runtime may take. */
const runtimeBuckets = Array.from({ length: 14 }, (_, index) => 0.005 * 2.5 ** index)
const podBuckets = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
]
const storageBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600]
const workerBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Everything that the kubelet counts while it runs, under upstream's names. */
export class KubeletMetrics {
  readonly runtimeOperations = new Counter({
    name: 'kubelet_runtime_operations_total',
    help: 'Cumulative number of runtime operations by operation type.',
  })
  readonly runtimeErrors = new Counter({
    name: 'kubelet_runtime_operations_errors_total',
    help: 'Cumulative number of runtime operation errors by operation type.',
  })
  readonly runtimeSeconds = new Histogram({
    name: 'kubelet_runtime_operations_duration_seconds',
    help: 'Duration in seconds of runtime operations. Broken down by operation type.',
    buckets: runtimeBuckets,
  })
  readonly workerSeconds = new Histogram({
    name: 'kubelet_pod_worker_duration_seconds',
    help: 'Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync',
    buckets: workerBuckets,
  })
  readonly podStartSeconds = new Histogram({
    name: 'kubelet_pod_start_duration_seconds',
    help: 'Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run',
    buckets: podBuckets,
  })
  readonly podStartTotalSeconds = new Histogram({
    name: 'kubelet_pod_start_total_duration_seconds',
    help: 'Duration in seconds to start a pod since creation, including time to pull images and run init containers, measured from pod creation timestamp to when all its containers are reported as started and observed via watch',
    buckets: podBuckets,
  })
  readonly sandboxSeconds = new Histogram({
    name: 'kubelet_run_podsandbox_duration_seconds',
    help: 'Duration in seconds of the run_podsandbox operations. Broken down by RuntimeClass.Handler.',
    buckets: workerBuckets,
  })
  readonly sandboxErrors = new Counter({
    name: 'kubelet_run_podsandbox_errors_total',
    help: 'Cumulative number of the run_podsandbox operation errors by RuntimeClass.Handler.',
  })
  readonly startedPodErrors = new Counter({
    name: 'kubelet_started_pods_errors_total',
    help: 'Cumulative number of errors when starting pods',
  })
  readonly startedPods = new Counter({
    name: 'kubelet_started_pods_total',
    help: 'Cumulative number of pods started',
  })
  readonly startedUserNamespacedPods = new Counter({
    name: 'kubelet_started_user_namespaced_pods_total',
    help: 'Cumulative number of pods with user namespaces started. This metric will only be collected on Linux.',
  })
  readonly startedUserNamespacedPodErrors = new Counter({
    name: 'kubelet_started_user_namespaced_pods_errors_total',
    help: 'Cumulative number of errors when starting pods with user namespaces. This metric will only be collected on Linux.',
  })
  readonly startedContainers = new Counter({
    name: 'kubelet_started_containers_total',
    help: 'Cumulative number of containers started',
  })
  readonly startedContainerErrors = new Counter({
    name: 'kubelet_started_containers_errors_total',
    help: 'Cumulative number of errors when starting containers',
  })
  readonly evictions = new Counter({
    name: 'kubelet_evictions',
    help: 'Cumulative number of pod evictions by eviction signal',
  })
  readonly probes = new Counter({
    name: 'prober_probe_total',
    help: 'Cumulative number of a liveness, readiness or startup probe for a container by result.',
  })
  readonly probeSeconds = new Histogram({
    name: 'prober_probe_duration_seconds',
    help: 'Duration in seconds for a probe response.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  })

  readonly relistSeconds = new Histogram({
    name: 'kubelet_pleg_relist_duration_seconds',
    help: 'Duration in seconds for relisting pods in PLEG.',
    buckets: workerBuckets,
  })
  readonly relistIntervalSeconds = new Histogram({
    name: 'kubelet_pleg_relist_interval_seconds',
    help: 'Interval in seconds between relisting in PLEG.',
    buckets: [...workerBuckets, 30, 60, 120],
  })
  readonly storageSeconds = new Histogram({
    name: 'storage_operation_duration_seconds',
    help: 'Storage operation duration',
    buckets: storageBuckets,
  })
  readonly csiSeconds = new Histogram({
    name: 'csi_operations_seconds',
    help: 'Container Storage Interface operation duration with gRPC error code status total',
    buckets: storageBuckets,
  })
  readonly managers = new ManagerMetrics()

  /** For `/metrics`. */
  read(): readonly MetricFamily[] {
    return [
      this.runtimeOperations,
      this.runtimeErrors,
      this.runtimeSeconds,
      this.workerSeconds,
      this.podStartSeconds,
      this.podStartTotalSeconds,
      this.sandboxSeconds,
      this.sandboxErrors,
      this.startedPods,
      this.startedPodErrors,
      this.startedUserNamespacedPods,
      this.startedUserNamespacedPodErrors,
      this.startedContainers,
      this.startedContainerErrors,
      this.evictions,
      this.relistSeconds,
      this.relistIntervalSeconds,
      this.storageSeconds,
      this.csiSeconds,
    ]
      .map((metric) => metric.read())
      .concat(this.managers.read())
  }

  /** For `/metrics/probes`. */
  readProbes(): readonly MetricFamily[] {
    return [this.probes.read(), this.probeSeconds.read()]
  }

  /** The pod is gone: its probes are not told any more. */
  forgetPod({ uid, name, namespace }: PodIdentity): void {
    this.probes.forget((labels) => labels['pod_uid'] === uid)
    this.probeSeconds.forget((labels) => labels['pod'] === name && labels['namespace'] === namespace)
  }
}
