import { formatTime } from '#lib/clock.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { ContainerStats, InterfaceStats } from '../cri/runtime.ts'
import type { Amount } from '../eviction/signals.ts'
import { containerNameLabel } from '../pod-worker/labels.ts'
import type { PodFolders } from '../pod-worker/pod-host.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { VolumeStats } from './volume-stats.ts'
import type { NodeSnapshot } from './stats-collector.ts'

export interface SummarizedPod {
  readonly pod: Pod
  /** Its containers as the runtime has them. */
  readonly runs: readonly ContainerStatus[]
  /** Its volumes that are measured one by one; its empty folders are among the folders. */
  readonly volumes?: readonly VolumeStats[]
  /** Absent where only CPU and memory were asked for. */
  readonly folders?: PodFolders
}

export interface SummaryInput {
  readonly nodeName: string
  readonly snapshot: NodeSnapshot
  readonly pods: readonly SummarizedPod[]
}

/** The answer of `/stats/summary` (kubelet `stats/v1alpha1`). */
export function statsSummary({ nodeName, snapshot, pods }: SummaryInput): object {
  return { node: nodeSummary(nodeName, snapshot), pods: pods.map((pod) => podSummary(snapshot, pod)) }
}

function nodeSummary(nodeName: string, { timeMs, usage, cpuNanoCores, readings, images }: NodeSnapshot): object {
  const time = formatTime(timeMs)
  const imageFs = fileSystem(time, readings['imagefs.available'], readings['imagefs.inodesFree'])
  const used = images && { usedBytes: images.usedBytes, inodesUsed: images.usedInodes }
  const pids = readings['pid.available']
  return {
    nodeName,
    startTime: formatTime(usage.bootedAtMs),
    cpu: { time, usageNanoCores: cpuNanoCores, usageCoreNanoSeconds: usage.cpuNanoseconds },
    memory: {
      time,
      availableBytes: readings['memory.available']?.available ?? 0,
      usageBytes: usage.memoryUsageBytes,
      workingSetBytes: usage.memoryWorkingSetBytes,
      rssBytes: usage.memoryRssBytes,
      pageFaults: usage.pageFaults,
      majorPageFaults: usage.majorPageFaults,
    },
    network: networkSummary(time, usage.interfaces),
    fs: fileSystem(time, readings['nodefs.available'], readings['nodefs.inodesFree']),
    runtime: { imageFs: { ...imageFs, ...used }, containerFs: imageFs },
    ...(pids && { rlimit: { time, maxpid: pids.capacity, curproc: pids.capacity - pids.available } }),
  }
}

function podSummary(snapshot: NodeSnapshot, { pod, runs, folders, volumes = [] }: SummarizedPod): object {
  const { name, namespace, uid } = pod.metadata
  const stats = snapshot.containers.get(uid) ?? []
  const sandbox = snapshot.sandboxes.get(uid)
  const time = formatTime(Math.max(0, ...stats.map(({ timestampMs }) => timestampMs)))
  const containers = stats.map((each) => containerSummary(snapshot, each, { runs, folders }))
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status?.startTime,
    containers,
    cpu: cpuSummary(time, stats),
    memory: memorySummary(time, stats),
    ...(sandbox && sandbox.interfaces.length > 0 && { network: networkSummary(time, sandbox.interfaces) }),
    ...(folders && diskParts(snapshot, time, { stats, folders, volumes })),
    ...(sandbox && { process_stats: { process_count: sandbox.processes } }),
  }
}

function containerSummary(
  { readings }: NodeSnapshot,
  stats: ContainerStats,
  { runs, folders }: { readonly runs: readonly ContainerStatus[]; readonly folders: PodFolders | undefined },
): object {
  const time = formatTime(stats.timestampMs)
  const name = stats.labels[containerNameLabel] ?? ''
  const run = runs.find(({ id }) => id === stats.id)
  const imageFs = fileSystem(time, readings['imagefs.available'], readings['imagefs.inodesFree'])
  const nodeFs = fileSystem(time, readings['nodefs.available'], readings['nodefs.inodesFree'])
  return {
    name,
    ...(run && { startTime: formatTime(run.startedAtMs || run.createdAtMs) }),
    cpu: cpuSummary(time, [stats]),
    memory: memorySummary(time, [stats]),
    rootfs: { ...imageFs, usedBytes: stats.writableLayerBytes, inodesUsed: stats.writableLayerInodes },
    ...(folders && { logs: { ...nodeFs, usedBytes: folders.logs.get(name) ?? 0 } }),
  }
}

function diskParts(
  { readings }: NodeSnapshot,
  time: string,
  {
    stats,
    folders,
    volumes,
  }: {
    readonly stats: readonly ContainerStats[]
    readonly folders: PodFolders
    readonly volumes: readonly VolumeStats[]
  },
): object {
  const nodeFs = fileSystem(time, readings['nodefs.available'], readings['nodefs.inodesFree'])
  const usedBytes =
    sum([...folders.volumes.values(), ...folders.logs.values()]) +
    sum(stats.map(({ writableLayerBytes }) => writableLayerBytes))
  return {
    volume: [
      ...[...folders.volumes].map(([name, bytes]) => ({ ...nodeFs, name, usedBytes: bytes })),
      ...volumes.map(({ claim, ...use }) => ({ time: nodeFs.time, ...use, ...(claim && { pvcRef: claim }) })),
    ],
    'ephemeral-storage': { ...nodeFs, usedBytes },
  }
}

function cpuSummary(time: string, stats: readonly ContainerStats[]): object {
  return {
    time,
    usageNanoCores: sum(stats.map((each) => each.cpuUsageNanoCores)),
    usageCoreNanoSeconds: sum(stats.map((each) => each.cpuUsageNanoseconds)),
  }
}

function memorySummary(time: string, stats: readonly ContainerStats[]): object {
  return {
    time,
    usageBytes: sum(stats.map((each) => each.memoryUsageBytes)),
    workingSetBytes: sum(stats.map((each) => each.memoryWorkingSetBytes)),
    rssBytes: sum(stats.map((each) => each.memoryRssBytes)),
    pageFaults: sum(stats.map((each) => each.pageFaults)),
    majorPageFaults: sum(stats.map((each) => each.majorPageFaults)),
  }
}

function networkSummary(time: string, interfaces: readonly InterfaceStats[]): object {
  const rows = interfaces.map(({ name, receivedBytes, receiveErrors, sentBytes, sendErrors }) => ({
    name,
    rxBytes: receivedBytes,
    rxErrors: receiveErrors,
    txBytes: sentBytes,
    txErrors: sendErrors,
  }))
  return { time, ...rows[0], interfaces: rows }
}

function fileSystem(time: string, bytes: Amount | undefined, inodes: Amount | undefined): { readonly time: string } {
  return {
    time,
    ...(bytes && {
      availableBytes: bytes.available,
      capacityBytes: bytes.capacity,
      usedBytes: bytes.capacity - bytes.available,
    }),
    ...(inodes && {
      inodesFree: inodes.available,
      inodes: inodes.capacity,
      inodesUsed: inodes.capacity - inodes.available,
    }),
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0)
}
