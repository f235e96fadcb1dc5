import type { ApiResponse } from '#api/meta/exchange.ts'
import { formatMetrics } from '#lib/metrics/metric.ts'
import { textResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import { serverLines } from './server-lines.ts'
import type { ServerParts } from '../server-parts.ts'

const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/** `/metrics` in the Prometheus text format; undefined for any other path. */
export function metrics({ request, server }: RequestContext): ApiResponse | undefined {
  if (request.path !== '/metrics') return undefined
  const lines = [
    ...server.metrics.lines(),
    ...server.flowControl.lines(),
    ...cacheLines(server),
    ...serverLines(server),
    ...processLines(),
  ]
  return textResponse(`${lines.join('\n')}\n${formatMetrics(server.moreMetrics())}`, 200, contentType)
}

function cacheLines({ resources, caches }: ServerParts): string[] {
  const stored = [...resources.all()].filter((resource) => resource.storage.convert === undefined)
  const named = stored.map((resource) => ({ resource, cache: caches.of(resource.storage.prefix) }))
  const labels = (group: string, plural: string): string => `resource="${group === '' ? plural : `${plural}.${group}`}"`
  return [
    '# HELP apiserver_storage_objects Objects stored.',
    '# TYPE apiserver_storage_objects gauge',
    ...named.map(
      ({ resource, cache }) => `apiserver_storage_objects{${labels(resource.group, resource.plural)}} ${cache.size}`,
    ),
    '# HELP apiserver_registered_watchers Watches that are open.',
    '# TYPE apiserver_registered_watchers gauge',
    ...named.map(
      ({ resource, cache }) =>
        `apiserver_registered_watchers{group="${resource.group}",version="${resource.version}",kind="${resource.kind}"} ${cache.watcherCount}`,
    ),
  ]
}

function processLines(): string[] {
  const { user, system } = process.cpuUsage()
  return [
    '# HELP process_cpu_seconds_total User and system time spent.',
    '# TYPE process_cpu_seconds_total counter',
    `process_cpu_seconds_total ${(user + system) / 1e6}`,
    '# HELP process_resident_memory_bytes Resident memory.',
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
  ]
}
