import { podLimits } from '#api/core/v1/pod-resources.ts'
import { resourceAmount } from '#api/core/v1/resource-amounts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { containerStorageMessage, emptyDirMessage, podStorageMessage } from './messages.ts'

/** What one pod has written to the node's disks, in bytes. */
export interface PodDiskUse {
  /** By volume: folders that live as long as the pod, those in memory too. */
  readonly volumes: ReadonlyMap<string, number>
  /** By container: its writable layer and its logs. */
  readonly containers: ReadonlyMap<string, number>
}

const storage = 'ephemeral-storage'

/** Whether the pod has set itself a limit that only looking at its disks can enforce. */
export function hasStorageLimit(pod: Pod): boolean {
  const { volumes = [], containers } = pod.spec
  return (
    volumes.some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) ||
    containers.some(({ resources }) => resources?.limits?.[storage] !== undefined)
  )
}

/** Why a pod has to go that has written more than it may, or `undefined` (API reference, `emptyDir.sizeLimit`, limits). */
export function storageViolation(pod: Pod, use: PodDiskUse): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit
    if (limit === undefined || resourceAmount(storage, limit) === 0) continue
    if ((use.volumes.get(name) ?? 0) > resourceAmount(storage, limit)) return emptyDirMessage(name, limit)
  }
  const isLimited = pod.spec.containers.every(({ resources }) => resources?.limits?.[storage] !== undefined)
  const podLimit = podLimits(pod)[storage] ?? 0
  if (isLimited && podLimit > 0 && diskTotal(pod, use) > podLimit) return podStorageMessage(podLimit)
  for (const { name, resources } of pod.spec.containers) {
    const limit = resources?.limits?.[storage]
    if (limit !== undefined && (use.containers.get(name) ?? 0) > resourceAmount(storage, limit))
      return containerStorageMessage(name, limit)
  }
  return undefined
}

/** All that the pod has on disk; what lies in memory does not count. */
export function diskTotal(pod: Pod, { volumes, containers }: PodDiskUse): number {
  const inMemory = new Set(
    (pod.spec.volumes ?? []).filter(({ emptyDir }) => emptyDir?.medium === 'Memory').map(({ name }) => name),
  )
  const onDisk = [...volumes].filter(([name]) => !inMemory.has(name)).map(([, bytes]) => bytes)
  return [...onDisk, ...containers.values()].reduce((sum, bytes) => sum + bytes, 0)
}
