import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { formatMetrics, metricsContentType, type MetricFamily } from '#lib/metrics/metric.ts'
import type { GroupUsage } from '../cgroups/read-usage.ts'
import { certificateMetrics } from '../metrics/certificate-metrics.ts'
import { nodeMetrics } from '../metrics/node-metrics.ts'
import { processMetrics } from '../metrics/process-metrics.ts'
import { isRunning } from '../pod-worker/pod-view.ts'
import { cadvisorMetrics, type CountedPod } from '../stats/cadvisor-metrics.ts'
import { parseDiskNames } from '../stats/disk-names.ts'
import { resourceMetrics } from '../stats/resource-metrics.ts'
import { volumeMetrics } from '../stats/volume-stats.ts'
import type { SummarizedPod } from '../stats/summary.ts'
import type { RouteCall } from './route.ts'
import type { KubeletServerContext } from './server-context.ts'

/** `GET /metrics`: the kubelet about itself. */
export async function serveMetrics(
  { metrics, workers, nodeName, version, clock, readMore, serving, volumeMeter }: KubeletServerContext,
  _call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const own = await processMetrics(clock.now())
  const claims = workers
    .list()
    .map(({ pod, volumes }) => volumeMeter.measure(pod.metadata.uid, volumes, ({ claim }) => claim !== undefined))
  const measured = volumeMetrics((await Promise.all(claims)).flat())
  write(response, [
    ...metrics.read(),
    ...readMore(),
    ...certificateMetrics(serving.current?.certificate, clock.now()),
    ...nodeMetrics(nodeName, version, workers.list()),
    ...measured,
    ...own,
  ])
}

/** `GET /metrics/probes` */
export function serveProbeMetrics({ metrics }: KubeletServerContext, _call: RouteCall, response: ServerResponse): void {
  write(response, metrics.readProbes())
}

/** `GET /metrics/resource` */
export async function serveResourceMetrics(
  context: KubeletServerContext,
  _call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  write(response, resourceMetrics(await context.stats.collect(), podsOf(context)))
}

/** `GET /metrics/cadvisor` */
export async function serveCadvisorMetrics(
  context: KubeletServerContext,
  _call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const { stats, facts, workers, host } = context
  const [snapshot, disks] = await Promise.all([stats.collect(), readFile('/proc/diskstats', 'utf8').catch(() => '')])
  const pods: CountedPod[] = []
  for (const { pod, view } of workers.list()) {
    // One after the other: each reads a dozen small files for every container.
    const groups = new Map<string, GroupUsage>()
    for (const { id } of [...view.sandboxes, ...view.containers.filter(isRunning)]) {
      const usage = await host.usage(pod, id)
      if (usage) groups.set(id, usage)
    }
    pods.push({ pod, runs: view.containers, groups })
  }
  write(response, cadvisorMetrics({ snapshot, pods, facts, diskNames: parseDiskNames(disks) }))
}

function podsOf({ workers }: KubeletServerContext): readonly SummarizedPod[] {
  return workers.list().map(({ pod, view }) => ({ pod, runs: view.containers }))
}

function write(response: ServerResponse, families: Iterable<MetricFamily>): void {
  response.writeHead(200, { 'content-type': metricsContentType }).end(formatMetrics(families))
}
