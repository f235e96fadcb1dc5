import { rm, rmdir } from 'node:fs/promises'
import { isMountPoint, unmountBelow } from '../volumes/mounts.ts'
import type { CsiDriver } from './csi-driver.ts'
import type { CsiVolumeId } from './csi-source.ts'

/** Has the driver unpublish, and makes sure that nothing is mounted there any more. */
export async function releaseTarget(driver: CsiDriver, { handle }: CsiVolumeId, path: string): Promise<void> {
  await driver.unpublish(handle, path)
  await leaveNothing(path)
}

/** Has the driver unstage, and makes sure that nothing is mounted there any more. */
export async function releaseStaging(driver: CsiDriver, { handle }: CsiVolumeId, path: string): Promise<void> {
  await driver.unstage(handle, path)
  await leaveNothing(path)
}

/** What is still mounted is unmounted first: a deletion that reached into the volume would cost its data. */
async function leaveNothing(path: string): Promise<void> {
  if (await isMountPoint(path)) await unmountBelow(path)
  await rmdir(path).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    // A block volume's target is a file.
    if (code === 'ENOTDIR') return rm(path)
    if (code !== 'ENOENT') throw error
    return undefined
  })
}
