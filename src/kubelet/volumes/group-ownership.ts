import { chmod, lchown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '#api/types/core.v1.ts'

const groupFile = 0o660
const groupFolder = 0o2770
const allPermissions = 0o7777

/**
 * Gives a volume and all in it to the pod's `fsGroup`, as KEP-695 says: the group may read and write, and what is made
 * there later belongs to it too. With the policy `OnRootMismatch` the top folder tells whether that was done before.
 */
export async function giveToGroup({ spec }: Pod, path: string): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = spec.securityContext ?? {}
  if (fsGroup === undefined) return
  if (fsGroupChangePolicy === 'OnRootMismatch' && (await isGivenTo(path, fsGroup))) return
  await giveTree(path, fsGroup)
}

async function isGivenTo(path: string, fsGroup: number): Promise<boolean> {
  const { gid, mode } = await lstat(path)
  return gid === fsGroup && (mode & groupFolder) === groupFolder
}

async function giveTree(path: string, fsGroup: number): Promise<void> {
  const stats = await lstat(path)
  await lchown(path, stats.uid, fsGroup)
  if (stats.isSymbolicLink()) return
  await chmod(path, (stats.mode & allPermissions) | (stats.isDirectory() ? groupFolder : groupFile))
  if (!stats.isDirectory()) return
  // The top folder last would be safer against interruption, but the group must be able to enter first.
  for (const name of await readdir(path)) await giveTree(join(path, name), fsGroup)
}
