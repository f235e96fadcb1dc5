import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/**
 * Where keys and certificates are kept. `write` is atomic: after a crash the file is the old one, the new one or absent.
 * What can be made anew is not forced to the disk: after a power failure it may be damaged.
 */
export interface PkiDirectory {
  read(name: string): string | undefined
  write(name: string, text: string, kind?: 'lasting' | 'renewable'): void
}

/** Files under `path`, directory 0700 and files 0600. Throws an Error that names the directory when it cannot be used. */
export function pkiDirectory(path: string): PkiDirectory {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new Error(`Cannot create the directory ${path} for certificates: ${reasonOf(error)}`, { cause: error })
  }
  if (!statSync(path).isDirectory()) throw new Error(`Cannot keep certificates in ${path}: it is not a directory`)
  return {
    read(name) {
      try {
        return readFileSync(join(path, name), 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw new Error(`Cannot read ${join(path, name)}: ${reasonOf(error)}`, { cause: error })
      }
    },
    write: (name, text, kind = 'lasting') => writeFileAtomically(join(path, name), text, kind),
  }
}

/** Keeps everything in memory: for tests and embedded clusters without a data directory. */
export function memoryPkiDirectory(): PkiDirectory {
  const files = new Map<string, string>()
  return { read: (name) => files.get(name), write: (name, text) => void files.set(name, text) }
}

/** Writes a private file (0600) so that nobody ever sees half of it: temporary file, fsync, rename. */
export function writeFileAtomically(path: string, text: string, kind: 'lasting' | 'renewable'): void {
  const temporary = `${path}.new`
  try {
    rmSync(temporary, { force: true })
    const file = openSync(temporary, 'wx', 0o600)
    try {
      writeSync(file, text)
      if (kind === 'lasting') fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  if (code === 'EROFS') return 'the file system is read-only'
  if (code === 'ENOSPC') return 'no space left on the device'
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'a file is in the way'
  return code ?? String(error)
}
