import type { ServerResponse } from 'node:http'
import { formatMetrics, metricsContentType, type MetricFamily } from '#lib/metrics/metric.ts'
import { nodeMetrics } from '../metrics/node-metrics.ts'
import { processMetrics } from '../metrics/process-metrics.ts'
import { cadvisorMetrics } from '../stats/cadvisor-metrics.ts'
import { resourceMetrics } from '../stats/resource-metrics.ts'
import { measureVolumes, volumeMetrics } from '../stats/volume-stats.ts'
import type { SummarizedPod } from '../stats/summary.ts'
import type { RouteCall } from './route.ts'
import type { KubeletServerContext } from './server-context.ts'

/** `GET /metrics`: the kubelet about itself. */
export async function serveMetrics(
  { metrics, workers, nodeName, version, clock }: KubeletServerContext,
  _call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const own = await processMetrics(clock.now())
  const claims = workers.list().map(({ volumes }) => measureVolumes(volumes, ({ claim }) => claim !== undefined))
  const measured = volumeMetrics((await Promise.all(claims)).flat())
  write(response, [...metrics.read(), ...nodeMetrics(nodeName, version, workers.list()), ...measured, ...own])
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
  write(response, cadvisorMetrics(await context.stats.collect(), podsOf(context), context.facts))
}

function podsOf({ workers }: KubeletServerContext): readonly SummarizedPod[] {
  return workers.list().map(({ pod, view }) => ({ pod, runs: view.containers }))
}

function write(response: ServerResponse, families: Iterable<MetricFamily>): void {
  response.writeHead(200, { 'content-type': metricsContentType }).end(formatMetrics(families))
}
