import type { ServerResponse } from 'node:http'
import { formatTime } from '#lib/clock.ts'
import type { ContainerStats } from '../cri/runtime.ts'
import { containerNameLabel, podUidLabel } from '../pod-worker/labels.ts'
import type { KubeletServerContext } from './server-context.ts'
import { writeJson } from './node-pages.ts'
import type { RouteCall } from './route.ts'

/** `GET /stats/summary`: CPU and memory of all containers, as the runtime measures them. */
export async function serveSummary(
  context: KubeletServerContext,
  _call: RouteCall,
  response: ServerResponse,
): Promise<void> {
  const byPod = Map.groupBy(await context.runtime.containerStats(), ({ labels }) => labels[podUidLabel] ?? '')
  const pods = context.workers.list().map(({ pod }) => {
    const containers = byPod.get(pod.metadata.uid) ?? []
    const { name, namespace, uid } = pod.metadata
    return {
      podRef: { name, namespace, uid },
      startTime: pod.status?.startTime,
      containers: containers.map(containerSummary),
      cpu: cpuSummary(containers),
      memory: memorySummary(containers),
    }
  })
  writeJson(response, { node: { nodeName: context.nodeName }, pods })
}

function containerSummary(stats: ContainerStats): object {
  return { name: stats.labels[containerNameLabel], cpu: cpuSummary([stats]), memory: memorySummary([stats]) }
}

function cpuSummary(stats: readonly ContainerStats[]): object {
  return { time: timeOf(stats), usageCoreNanoSeconds: sum(stats, (each) => each.cpuUsageNanoseconds) }
}

function memorySummary(stats: readonly ContainerStats[]): object {
  return { time: timeOf(stats), workingSetBytes: sum(stats, (each) => each.memoryWorkingSetBytes) }
}

function sum(stats: readonly ContainerStats[], valueOf: (stats: ContainerStats) => number): number {
  return stats.reduce((total, each) => total + valueOf(each), 0)
}

function timeOf(stats: readonly ContainerStats[]): string {
  return formatTime(Math.max(0, ...stats.map(({ timestampMs }) => timestampMs)))
}
