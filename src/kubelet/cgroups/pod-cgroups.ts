import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { computePodQosClass } from '#api/core/v1/pod-qos.ts'
import { podRequests } from '#api/core/v1/pod-resources.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { Clock } from '#lib/clock.ts'
import type { CgroupLayout } from '#lib/cgroup-layout.ts'
import type { Histogram } from '#lib/metrics/histogram.ts'
import { cpuShares, minimumCpuShares, podCgroupSettings } from './pod-resources.ts'
import type { CpuQuotaSettings } from '../configuration/kubelet-settings.ts'
import { readGroupUsage, type GroupUsage } from './read-usage.ts'
import { cgroupFiles, type CgroupSettings, type LimitedController } from './cgroup-files.ts'

/**
 * The control groups above the containers': one per service class and one per pod
 *
 *     <root>/pod<uid>               guaranteed
 *     <root>/burstable/pod<uid>
 *     <root>/besteffort/pod<uid>
 */
export interface PodCgroups {
  /** Makes the root and the groups of the service classes. Idempotent. */
  setUp(): Promise<void>
  /** Makes the pod's group with its limits and resolves to its path: the `cgroupParent` of its sandbox. */
  create(pod: Pod): Promise<string>
  /** What a container or sandbox of the pod uses; `undefined` when it does not run. */
  usage(pod: Pod, containerId: string): Promise<GroupUsage | undefined>
  /** Removes the groups of a pod, whatever its class was. Idempotent. */
  remove(podUid: string): Promise<void>
  /** Pods that have a group. */
  list(): Promise<readonly string[]>
}

export interface PodCgroupsOptions {
  readonly layout: CgroupLayout
  /** Path of the top group, such as `/coracle`. */
  readonly root: string
  readonly clock: Clock
  readonly quota: CpuQuotaSettings
  /** How many processes a pod may have; 0: any number. */
  readonly podPidsLimit: number
  /** Of the machine, in bytes. */
  readonly hugePageSizes: readonly number[]
  /** How long it takes to make, change and remove a pod's groups, by `operation_type`. */
  readonly seconds: Histogram
  /** What all pods together may take of the machine. */
  readonly total: CgroupSettings
}

const classFolders = ['', 'burstable', 'besteffort'] as const
/** Controllers on which limits are set; the rest of the v1 hierarchies is filled by the runtime. */
const limitedControllers: readonly LimitedController[] = ['cpu', 'memory', 'pids', 'hugetlb']

export function createPodCgroups(options: PodCgroupsOptions): PodCgroups {
  const { layout, root, clock, quota, podPidsLimit, hugePageSizes, seconds, total } = options
  /** Requested CPU of the burstable pods: their class weighs as much as they do together. */
  const burstable = new Map<string, number>()
  const write = (path: string, settings: CgroupSettings): Promise<void> => writeGroup(layout, path, settings)
  const weighBurstable = (): Promise<void> => {
    const milliCpu = [...burstable.values()].reduce((sum, each) => sum + each, 0)
    return write(join(root, 'burstable'), { cpuShares: cpuShares(milliCpu) })
  }
  const pathOf = ({ spec, metadata }: Pod): string => {
    const qos = computePodQosClass(spec)
    return join(root, qos === 'Guaranteed' ? '' : qos.toLowerCase(), `pod${metadata.uid}`)
  }
  return {
    async setUp() {
      await write(root, total)
      await write(join(root, 'burstable'), { cpuShares: minimumCpuShares })
      await write(join(root, 'besteffort'), { cpuShares: minimumCpuShares })
    },
    async create(pod) {
      const path = pathOf(pod)
      const startedMs = clock.monotonic()
      await write(path, { ...podCgroupSettings(pod, quota, hugePageSizes), pidsLimit: podPidsLimit })
      if (computePodQosClass(pod.spec) === 'Burstable') {
        burstable.set(pod.metadata.uid, podRequests(pod)['cpu'] ?? 0)
        await weighBurstable()
      }
      seconds.observe((clock.monotonic() - startedMs) / 1000, { operation_type: 'update' })
      return path
    },
    usage: (pod, containerId) => readGroupUsage(layout, join(pathOf(pod), containerId)),
    async remove(podUid) {
      const startedMs = clock.monotonic()
      for (const top of hierarchies(layout)) {
        for (const folder of classFolders) await removeTree(join(top, root, folder, `pod${podUid}`), clock)
      }
      if (burstable.delete(podUid)) await weighBurstable()
      seconds.observe((clock.monotonic() - startedMs) / 1000, { operation_type: 'destroy' })
    },
    async list() {
      const uids = new Set<string>()
      for (const top of hierarchies(layout)) {
        for (const folder of classFolders) {
          const names = await readdir(join(top, root, folder)).catch(() => [])
          for (const name of names) if (name.startsWith('pod')) uids.add(name.slice(3))
        }
      }
      return [...uids]
    },
  }
}

function hierarchies(layout: CgroupLayout): readonly string[] {
  return layout.version === 2 ? [layout.root] : layout.mountPoints
}

async function writeGroup(layout: CgroupLayout, path: string, settings: CgroupSettings): Promise<void> {
  if (layout.version === 2) return writeUnified(layout.root, path, settings)
  for (const controller of limitedControllers) {
    const mountPoint = layout.controllers[controller]
    if (mountPoint === undefined) continue
    await mkdir(join(mountPoint, path), { recursive: true })
    for (const [file, value] of cgroupFiles(1, controller, settings))
      await writeFile(join(mountPoint, path, file), value)
  }
}

async function writeUnified(top: string, path: string, settings: CgroupSettings): Promise<void> {
  let folder = top
  for (const part of path.split('/').filter((name) => name !== '')) {
    // A group can only be limited where its parent passes the controllers on.
    await writeFile(join(folder, 'cgroup.subtree_control'), '+cpu +memory +pids').catch(() => undefined)
    await writeFile(join(folder, 'cgroup.subtree_control'), '+cpuset +io').catch(() => undefined)
    await writeFile(join(folder, 'cgroup.subtree_control'), '+hugetlb').catch(() => undefined)
    folder = join(folder, part)
    await mkdir(folder, { recursive: true })
  }
  for (const controller of limitedControllers) {
    for (const [file, value] of cgroupFiles(2, controller, settings))
      await writeFile(join(folder, file), value).catch((error: unknown) => {
        // A kernel without a controller for huge pages limits them nowhere.
        if (controller !== 'hugetlb') throw error
      })
  }
}

/** Groups are folders that only hold virtual files: they go away from the leaves up, once their processes are gone. */
async function removeTree(path: string, clock: Clock): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name), clock)
  for (let attempt = 0; ; attempt++) {
    try {
      return await rmdir(path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      // The kernel takes a moment to let go of processes that have just ended.
      if (code !== 'EBUSY' || attempt >= 10) throw error
      await clock.sleep(10 * 2 ** Math.min(attempt, 5))
    }
  }
}
