import { mkdir, stat, writeFile } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import type { VolumePlugin } from './volume-plugin.ts'

/** A path of the node itself, after the check that its type asks for. */
export const hostPathVolume: VolumePlugin = {
  type: 'hostPath',
  isLive: false,
  async setUp({ volume }) {
    const { path = '', type = '' } = volume.hostPath ?? {}
    await checkHostPath(path, type)
    return { hostPath: path }
  },
}

type CheckedType = 'Directory' | 'File' | 'Socket' | 'CharDevice' | 'BlockDevice'

const checks: Readonly<Record<CheckedType, { readonly test: (stats: Stats) => boolean; readonly noun: string }>> = {
  Directory: { test: (stats) => stats.isDirectory(), noun: 'directory' },
  File: { test: (stats) => stats.isFile(), noun: 'file' },
  Socket: { test: (stats) => stats.isSocket(), noun: 'socket file' },
  CharDevice: { test: (stats) => stats.isCharacterDevice(), noun: 'character device' },
  BlockDevice: { test: (stats) => stats.isBlockDevice(), noun: 'block device' },
}

/** Throws unless the path is what its type asks for; makes it where the type says so. */
export async function checkHostPath(path: string, type: string): Promise<void> {
  if (type === '') return
  const exists = (await stat(path).catch(() => undefined)) !== undefined
  if (!exists && type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
  if (!exists && type === 'FileOrCreate') await writeFile(path, '', { flag: 'a', mode: 0o644 })
  const { test, noun } = checks[type.replace('OrCreate', '') as CheckedType] ?? { test: () => false, noun: type }
  const stats = await stat(path).catch(() => undefined)
  if (stats === undefined || !test(stats)) throw new Error(`hostPath type check failed: ${path} is not a ${noun}`)
}
