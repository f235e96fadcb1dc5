import { constants } from 'node:fs'
import { chmod, chown, mkdir, open, readlink, realpath, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { runCommand } from '#lib/command.ts'
import { isMountPoint } from './mounts.ts'

export interface SubPathRequest {
  /** Folder of the volume on the host. */
  readonly volumePath: string
  /** Relative path inside it, as the pod writes it. */
  readonly subPath: string
  /** Where to bind it: a path outside the volume that containers cannot reach. */
  readonly target: string
  readonly fsGroup?: number
  /** Only the kubelet writes into the volume, so that its links can be trusted. */
  readonly isKubeletWritten: boolean
}

/**
 * Binds a path inside a volume to the target, without ever following a symbolic link: a container can write links into
 * the volume that point anywhere on the node. Missing folders are made. Each step opens the next name relative to the
 * folder that is open already, and the bind goes through the open file, so nothing can be swapped in between. A target
 * that shows something else, because the volume was updated since, is bound anew: a restarted container sees the update.
 */
export async function bindSubPath(request: SubPathRequest): Promise<string> {
  const parts = request.subPath.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw new Error(`subPath ${request.subPath} must not contain '..'`)
  let handle = await open(request.volumePath, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    for (const part of parts) {
      const next = await openChild(handle, part, request)
      await handle.close()
      handle = next
    }
    const source = await handle.stat()
    const isFolder = source.isDirectory()
    if (await isMountPoint(request.target)) {
      const shown = await stat(request.target)
      if (shown.dev === source.dev && shown.ino === source.ino) return request.target
      await runCommand('umount', [request.target])
    }
    await mkdir(isFolder ? request.target : dirname(request.target), { recursive: true, mode: 0o750 })
    if (!isFolder) await writeFile(request.target, '', { flag: 'a' })
    const opened = `/proc/${process.pid}/fd/${handle.fd}`
    await runCommand('mount', ['--no-canonicalize', '--bind', opened, request.target])
    return request.target
  } finally {
    await handle.close()
  }
}

async function openChild(folder: FileHandle, name: string, request: SubPathRequest): Promise<FileHandle> {
  const path = `/proc/self/fd/${folder.fd}/${name}`
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  try {
    return await open(path, flags)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP') return openVisibleName(path, name, request)
    if (code !== 'ENOENT') throw error
  }
  await mkdir(path, { mode: 0o750 })
  if (request.fsGroup !== undefined) {
    await chown(path, 0, request.fsGroup)
    await chmod(path, 0o2770)
  } else await chmod(path, 0o755)
  return open(path, flags | constants.O_DIRECTORY)
}

/**
 * The visible names of config maps, secrets and the like are links that the kubelet itself has written: they, and
 * only they, lead through `..data` to a file of the same volume.
 */
async function openVisibleName(path: string, name: string, request: SubPathRequest): Promise<FileHandle> {
  const { volumePath, subPath, isKubeletWritten } = request
  const link = await readlink(path)
  const resolved = await realpath(`${volumePath}/${name}`)
  const root = await realpath(volumePath)
  if (!isKubeletWritten || link !== `..data/${name}` || !resolved.startsWith(`${root}/..`)) {
    throw new Error(`subPath ${subPath} leads through a symbolic link`)
  }
  return open(resolved, constants.O_RDONLY | constants.O_NOFOLLOW)
}
