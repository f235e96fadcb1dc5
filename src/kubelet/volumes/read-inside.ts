import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

const maximumBytes = 64 * 1024

/**
 * Reads a small text file below a folder that containers write to; `undefined` when it does not exist. No symbolic link
 * is followed, for it may lead anywhere on the node, and nothing but plain files is read. Throws without naming the path.
 */
export async function readInside(folder: string, path: string): Promise<string | undefined> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw new Error("the path must not contain '..'")
  let handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    for (const part of parts) {
      const next = await openChild(handle, part)
      if (next === undefined) return undefined
      await handle.close()
      handle = next
    }
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('it is not a regular file')
    if (stats.size > maximumBytes) throw new Error(`it is larger than ${maximumBytes} bytes`)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(stats.size), 0, stats.size, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function openChild(folder: FileHandle, name: string): Promise<FileHandle | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  try {
    return await open(`/proc/self/fd/${folder.fd}/${name}`, flags)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new Error(code === 'ELOOP' ? 'it leads through a symbolic link' : `it cannot be opened: ${code}`)
  }
}
