import { chmod, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '#api/types/core.v1.ts'
import { runCommand } from '#lib/command.ts'
import type { PodCgroups } from '../cgroups/pod-cgroups.ts'
import { machineIds } from '../user-namespaces/machine-ids.ts'
import { nodeIds } from '../user-namespaces/node-ids.ts'
import { podIdRanges } from '../user-namespaces/pod-id-ranges.ts'
import { ContainerLogFiles } from '../logs/container-log-files.ts'
import { isMountPoint, unmountBelow } from '../volumes/mounts.ts'
import { PodVolumes } from '../volumes/pod-volumes.ts'
import { podFolderSizes } from '../volumes/folder-sizes.ts'
import { readInside } from '../volumes/read-inside.ts'
import { bindSubPath } from '../volumes/sub-path.ts'
import type { PodHost, PodIdentity } from './pod-host.ts'

export interface LinuxPodHostOptions {
  /** The kubelet's folder: `pods/<uid>` lie in it, and `memory/`, where secrets are. */
  readonly rootDir: string
  readonly logsDir: string
  /** Where links to the logs of all containers lie. */
  readonly logLinksDir: string
  readonly cgroups: PodCgroups
  /** How many users and groups a pod has that wants its own; how many pods there may be. */
  readonly idsPerPod: number
  readonly maximumPods: number
}

/** Pods on a Linux node. Needs root. */
export async function linuxPodHost(options: LinuxPodHostOptions): Promise<PodHost> {
  const { rootDir, logsDir, logLinksDir, cgroups, idsPerPod } = options
  const podsDir = join(rootDir, 'pods')
  const memoryDir = join(rootDir, 'memory')
  await Promise.all([podsDir, memoryDir, logsDir].map((path) => mkdir(path, { recursive: true, mode: 0o755 })))
  await mountMemory(memoryDir)
  await cgroups.setUp()
  const ranges = await podIdRanges({ podsDir, idsPerPod, ids: await nodeIds(machineIds, options) })
  const podDir = (pod: Pod): string => join(podsDir, pod.metadata.uid)
  const logFiles = new ContainerLogFiles(logLinksDir)
  const removeLogs = async (folder: string): Promise<void> => {
    await logFiles.removeLinksInto(folder)
    await rm(folder, { recursive: true, force: true })
  }
  return {
    async prepare(pod) {
      const logDirectory = join(logsDir, logFolderName(pod.metadata))
      const folders = [podDir(pod), join(podDir(pod), 'containers'), logDirectory]
      const [cgroupParent] = await Promise.all([
        cgroups.create(pod),
        ...folders.map((path) => mkdir(path, { recursive: true, mode: 0o755 })),
      ])
      return { cgroupParent, logDirectory }
    },
    idRange: (pod) => ranges.rangeOf(pod.metadata.uid),
    async resize(pod) {
      await cgroups.create(pod)
    },
    volumes: (pod, context) =>
      new PodVolumes({ directory: podDir(pod), memoryDirectory: join(memoryDir, pod.metadata.uid), context }),
    async writeHostsFile(pod, text) {
      const path = join(podDir(pod), 'etc-hosts')
      await writeFile(path, text)
      await chmod(path, 0o644)
      return path
    },
    async createTerminationLog(pod, container, attempt) {
      const folder = join(podDir(pod), 'containers', container.name)
      await mkdir(folder, { recursive: true, mode: 0o755 })
      const path = join(folder, String(attempt))
      await writeFile(path, '')
      await chmod(path, 0o666)
      return path
    },
    bindSubPath: (pod, { mountId, ...request }) =>
      bindSubPath({ ...request, target: join(podDir(pod), 'volume-subpaths', mountId) }),
    linkLog: ({ metadata }, container) => logFiles.link(metadata, container),
    removeLog: ({ metadata }, container) => logFiles.remove(metadata, container),
    readTail,
    readInside,
    usage: (pod, containerId) => cgroups.usage(pod, containerId),
    diskUse: (pod) => podFolderSizes(pod, { podDir: podDir(pod), logDir: join(logsDir, logFolderName(pod.metadata)) }),
    async cleanUp(identity, { withLogs }) {
      const { uid } = identity
      await unmountBelow(join(podsDir, uid))
      await Promise.all([
        rm(join(podsDir, uid), { recursive: true, force: true }),
        rm(join(memoryDir, uid), { recursive: true, force: true }),
        withLogs ? removeLogs(join(logsDir, logFolderName(identity))) : undefined,
        cgroups.remove(uid),
      ])
      ranges.release(uid)
    },
    async remains() {
      const [folders, groups] = await Promise.all([readdir(podsDir), cgroups.list()])
      return [...new Set([...folders, ...groups])]
    },
  }
}

/** As upstream names the folder, so that log collectors find their way. */
function logFolderName({ namespace = '', name, uid }: PodIdentity): string {
  return `${namespace}_${name}_${uid}`
}

/** One file system in memory for the secrets of all pods; it outlives the process, as the pods do. */
async function mountMemory(path: string): Promise<void> {
  if (await isMountPoint(path)) return
  const mount = (options: string) => runCommand('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
  // Secrets must not be swapped out either, where the kernel (6.3) can be told so.
  await mount('mode=0755,nosuid,nodev,noswap').catch(() => mount('mode=0755,nosuid,nodev'))
}

async function readTail(path: string, limits: { readonly bytes: number; readonly lines?: number }): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return ''
  try {
    const { size } = await file.stat()
    const length = Math.min(size, limits.bytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    const text = buffer.toString('utf8', 0, bytesRead)
    return limits.lines === undefined
      ? text
      : text
          .split('\n')
          .slice(-limits.lines - 1)
          .join('\n')
  } finally {
    await file.close()
  }
}
