import { mkdir, rmdir } from 'node:fs/promises'
import type { NFSVolumeSource } from '#api/types/core.v1.ts'
import { runCommand } from '#lib/command.ts'
import { isMountPoint } from './mounts.ts'
import type { VolumeOnHost, VolumePlugin } from './volume-plugin.ts'

/** A folder of an NFS server. The node needs `mount.nfs`; `mount` itself says so where it is missing. */
export const nfsVolume: VolumePlugin = {
  type: 'nfs',
  isLive: false,
  setUp: ({ volume, directory }) => mountNfs({ server: '', path: '', ...volume.nfs }, directory),
}

export async function mountNfs(
  { server, path, readOnly }: NFSVolumeSource,
  directory: string,
  mountOptions: readonly string[] = [],
): Promise<VolumeOnHost> {
  const onHost: VolumeOnHost = {
    hostPath: directory,
    measuredAs: 'fileSystem',
    ...(readOnly === true && { readOnly: true }),
  }
  if (await isMountPoint(directory)) return onHost
  await mkdir(directory, { recursive: true, mode: 0o750 })
  const options = [...mountOptions, ...(readOnly === true ? ['ro'] : [])]
  const host = server.includes(':') ? `[${server}]` : server
  const args = ['-t', 'nfs', ...(options.length > 0 ? ['-o', options.join()] : []), `${host}:${path}`, directory]
  const { code, stdout, stderr } = await runCommand('mount', args, { acceptedCodes: [0, 1, 2, 4, 8, 16, 32, 64] })
  if (code === 0) return onHost
  await rmdir(directory).catch(() => undefined)
  throw new Error(
    `mount failed: exit status ${code}\nMounting command: mount\nMounting arguments: ${args.join(' ')}\nOutput: ${stdout}${stderr}`,
  )
}
