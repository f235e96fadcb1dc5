import { chmod, chown, mkdir } from 'node:fs/promises'
import { resourceAmount } from '#api/core/v1/resource-amounts.ts'
import { runCommand } from '#lib/command.ts'
import { isMountPoint } from './mounts.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** An empty folder that lives as long as the pod: on disk, or in memory with an optional size. */
export const emptyDirVolume: VolumePlugin = {
  type: 'emptyDir',
  isLive: false,
  async setUp({ pod, volume, directory }) {
    const { medium = '', sizeLimit } = volume.emptyDir ?? {}
    if (medium !== '' && medium !== 'Memory') throw new Error(`emptyDir medium ${medium} is not supported by this node`)
    await mkdir(directory, { recursive: true })
    if (medium === 'Memory' && !(await isMountPoint(directory))) {
      const bytes = sizeLimit === undefined ? 0 : resourceAmount('memory', sizeLimit)
      await runCommand('mount', ['-t', 'tmpfs', ...(bytes > 0 ? ['-o', `size=${bytes}`] : []), 'tmpfs', directory])
    }
    const fsGroup = pod.spec.securityContext?.fsGroup
    if (fsGroup !== undefined) await chown(directory, 0, fsGroup)
    await chmod(directory, fsGroup === undefined ? 0o777 : 0o2777)
    return { hostPath: directory }
  },
}
