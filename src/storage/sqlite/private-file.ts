import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes an empty file that only its owner can read, and its folder likewise, unless they exist. An existing file is
 * never opened: closing it would drop the locks this process holds on it (POSIX record locks).
 */
export function createPrivateFile(path: string): void {
  const folder = dirname(path)
  makePrivateFolder(folder)
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw error
  }
  const folderHandle = openSync(folder, 'r')
  fsyncSync(folderHandle)
  closeSync(folderHandle)
}

/** Not `recursive: true`: Node 26 never returns from that where a parent refuses with ENOENT, as /proc does. */
function makePrivateFolder(folder: string): void {
  if (existsSync(folder)) return
  makePrivateFolder(dirname(folder))
  mkdirSync(folder, { mode: 0o700 })
}
