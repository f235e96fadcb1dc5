import { lstat, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import type { VolumeOnHost, VolumeUse } from '../volumes/volume-plugin.ts'

/** One volume of a pod, measured. */
export interface VolumeStats extends VolumeUse {
  readonly name: string
  readonly claim?: { readonly name: string; readonly namespace: string }
}

/** Measures the volumes of a pod that can be. One that does not answer is left out. */
export async function measureVolumes(
  volumes: ReadonlyMap<string, VolumeOnHost>,
  isWanted: (volume: VolumeOnHost) => boolean = () => true,
): Promise<readonly VolumeStats[]> {
  const measured = await Promise.all(
    [...volumes].map(async ([name, volume]): Promise<VolumeStats | undefined> => {
      if (!isWanted(volume)) return undefined
      const use = await measure(volume).catch(() => undefined)
      return use && { name, ...use, ...(volume.claim && { claim: volume.claim }) }
    }),
  )
  return measured.filter((stats) => stats !== undefined)
}

async function measure({ hostPath, measuredAs, usage }: VolumeOnHost): Promise<VolumeUse | undefined> {
  if (usage !== undefined) return usage()
  if (measuredAs === undefined) return undefined
  const whole = await fileSystemUse(hostPath)
  return measuredAs === 'fileSystem' ? whole : { ...whole, ...(await filesUse(hostPath)) }
}

async function fileSystemUse(path: string): Promise<VolumeUse> {
  const { bsize, blocks, bavail, bfree, files, ffree } = await statfs(path)
  return {
    capacityBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    usedBytes: (blocks - bfree) * bsize,
    inodes: files,
    inodesFree: ffree,
    inodesUsed: files - ffree,
  }
}

/** What few files take, such as the kubelet itself writes for a pod. */
async function filesUse(folder: string): Promise<Pick<VolumeUse, 'usedBytes' | 'inodesUsed'>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(
    entries.map(async ({ parentPath, name }) => (await lstat(join(parentPath, name))).blocks * 512),
  )
  return { usedBytes: sizes.reduce((sum, size) => sum + size, 0), inodesUsed: entries.length + 1 }
}

const families: readonly (readonly [name: string, help: string, field: keyof VolumeUse])[] = [
  ['capacity_bytes', 'Capacity in bytes of the volume', 'capacityBytes'],
  ['available_bytes', 'Number of available bytes in the volume', 'availableBytes'],
  ['used_bytes', 'Number of used bytes in the volume', 'usedBytes'],
  ['inodes', 'Maximum number of inodes in the volume', 'inodes'],
  ['inodes_free', 'Number of free inodes in the volume', 'inodesFree'],
  ['inodes_used', 'Number of used inodes in the volume', 'inodesUsed'],
]

/** The metrics of claims; one that several pods use is told once. */
export function volumeMetrics(stats: readonly VolumeStats[]): readonly MetricFamily[] {
  const byClaim = new Map(
    stats.flatMap((each) => (each.claim ? [[`${each.claim.namespace}/${each.claim.name}`, each] as const] : [])),
  )
  return families.map(([name, help, field]) => ({
    name: `kubelet_volume_stats_${name}`,
    help,
    type: 'gauge',
    samples: [...byClaim.values()].flatMap(({ claim, [field]: value }) => {
      const labels = { namespace: claim?.namespace ?? '', persistentvolumeclaim: claim?.name ?? '' }
      return value === undefined ? [] : [{ labels, value }]
    }),
  }))
}
