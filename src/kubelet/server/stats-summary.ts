import type { ServerResponse } from 'node:http'
import { statsSummary, type SummarizedPod } from '../stats/summary.ts'
import { writeJson } from './node-pages.ts'
import type { RouteCall } from './route.ts'
import type { KubeletServerContext } from './server-context.ts'

/** `GET /stats/summary`: what the node, its pods and their containers use; `?only_cpu_and_memory=true` leaves disks out. */
export async function serveSummary(
  context: KubeletServerContext,
  { query }: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const { workers, host, stats, volumeMeter, nodeName } = context
  const isShort = query.get('only_cpu_and_memory') === 'true'
  const snapshot = await stats.collect()
  const pods: SummarizedPod[] = []
  for (const { pod, view, volumes } of workers.list()) {
    // One after the other: each walks folders in a process of its own.
    const folders = isShort ? undefined : await host.diskUse(pod)
    const measured = isShort ? [] : await volumeMeter.measure(pod.metadata.uid, volumes)
    pods.push({ pod, runs: view.containers, volumes: measured, ...(folders && { folders }) })
  }
  writeJson(response, statsSummary({ nodeName, snapshot, pods }))
}
