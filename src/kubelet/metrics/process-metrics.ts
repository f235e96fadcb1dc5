import { readdir } from 'node:fs/promises'
import type { MetricFamily } from '#lib/metrics/metric.ts'

/** What this process itself takes, under the names that every exporter uses. */
export async function processMetrics(nowMs: number): Promise<readonly MetricFamily[]> {
  const { user, system } = process.cpuUsage()
  const openFiles = await readdir('/proc/self/fd').catch(() => [])
  const one = (type: 'counter' | 'gauge', name: string, help: string, value: number): MetricFamily => {
    return { name, help, type, samples: [{ labels: {}, value }] }
  }
  return [
    one(
      'counter',
      'process_cpu_seconds_total',
      'Total user and system CPU time spent in seconds.',
      (user + system) / 1e6,
    ),
    one('gauge', 'process_resident_memory_bytes', 'Resident memory size in bytes.', process.memoryUsage.rss()),
    one('gauge', 'process_open_fds', 'Number of open file descriptors.', openFiles.length),
    one(
      'gauge',
      'process_start_time_seconds',
      'Start time of the process since unix epoch in seconds.',
      nowMs / 1000 - process.uptime(),
    ),
  ]
}
