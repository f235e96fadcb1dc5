import { chmod, chown, mkdir } from 'node:fs/promises'
import { podLimits, podRequests } from '#api/core/v1/pod-resources.ts'
import { resourceAmount, type ResourceAmounts } from '#api/core/v1/resource-amounts.ts'
import type { EmptyDirVolumeSource, Pod } from '#api/types/core.v1.ts'
import { runCommand } from '#lib/command.ts'
import { isMountPoint } from './mounts.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** An empty folder that lives as long as the pod: on disk, in memory, or in huge pages. */
export const emptyDirVolume: VolumePlugin = {
  type: 'emptyDir',
  isLive: false,
  async setUp({ pod, volume, directory, allocatable }) {
    const mount = mountOf(pod, volume.emptyDir ?? {}, allocatable)
    await mkdir(directory, { recursive: true })
    if (mount !== undefined && !(await isMountPoint(directory)))
      await runCommand('mount', ['-t', mount.type, '-o', mount.options, mount.type, directory])
    const fsGroup = pod.spec.securityContext?.fsGroup
    if (fsGroup !== undefined) await chown(directory, 0, fsGroup)
    await chmod(directory, fsGroup === undefined ? 0o777 : 0o2777)
    return { hostPath: directory }
  },
}

interface Mount {
  readonly type: 'tmpfs' | 'hugetlbfs'
  readonly options: string
}

const hugePages = 'HugePages'

/** What is to be mounted at the folder; nothing for one on disk. */
export function mountOf(pod: Pod, source: EmptyDirVolumeSource, allocatable: ResourceAmounts): Mount | undefined {
  const { medium = '' } = source
  if (medium === '') return undefined
  if (medium === 'Memory') return { type: 'tmpfs', options: `size=${memorySize(pod, source, allocatable)}` }
  if (medium === hugePages || medium.startsWith(`${hugePages}-`))
    return { type: 'hugetlbfs', options: `pagesize=${pageSize(pod, medium)}` }
  throw new Error(`unknown storage medium "${medium}"`)
}

/** What is in memory counts against the pod's limit, so more room than that is of no use (KEP-1967). */
function memorySize(pod: Pod, { sizeLimit }: EmptyDirVolumeSource, allocatable: ResourceAmounts): number {
  const isLimited = pod.spec.containers.every(({ resources }) => resources?.limits?.['memory'] !== undefined)
  const podLimit = isLimited ? (podLimits(pod)['memory'] ?? 0) : 0
  const own = sizeLimit === undefined ? 0 : resourceAmount('memory', sizeLimit)
  return Math.min(...[allocatable['memory'] ?? 0, podLimit, own].filter((bytes) => bytes > 0))
}

/** Bytes of a page: the one size that the pod asks for, or the size that the medium names. */
function pageSize(pod: Pod, medium: string): number {
  const sizes = Object.entries(podRequests(pod))
    .filter(([resource, amount]) => resource.startsWith('hugepages-') && amount > 0)
    .map(([resource]) => resourceAmount('memory', resource.slice('hugepages-'.length)))
  if (medium !== hugePages) {
    const named = resourceAmount('memory', medium.slice(`${hugePages}-`.length))
    if (sizes.includes(named)) return named
    throw new Error(`medium ${medium} not found in pod resources`)
  }
  const [size] = sizes
  if (size === undefined) throw new Error(`medium ${medium} cannot be used by a pod that requests no huge pages`)
  if (sizes.length > 1) throw new Error(`medium ${medium} cannot be used if pod requests multiple huge page sizes`)
  return size
}
