import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { groupReadableFile, groupReadableFolder } from './ownership.ts'

/** A file to be shown in a volume. */
export interface PayloadFile {
  readonly data: Uint8Array
  readonly mode: number
  /** Owner where it is not root. */
  readonly user?: number
}

/** Relative paths without `..`, and the files there. */
export type Payload = ReadonlyMap<string, PayloadFile>

const dataLink = '..data'

/**
 * Shows the files in the folder so that readers see the old set or the new one, never a mixture: the files lie in a
 * dated folder, `..data` points to it and is replaced by a rename, and each visible name points through `..data`
 *
 *     volume/app.conf    -> ..data/app.conf
 *     volume/..data      -> ..2026_01_02_03_04_05.17
 *     volume/..2026_01_02_03_04_05.17/app.conf
 *
 * Does nothing when the folder shows just these files. What a write leaves behind that failed, or was cut short by a
 * kill, is gone after the next one.
 */
export async function writePayload(
  directory: string,
  payload: Payload,
  options: { readonly nowMs: number; readonly fsGroup?: number },
): Promise<void> {
  await mkdir(directory, { recursive: true })
  const current = await readlink(join(directory, dataLink)).catch(() => undefined)
  if (current !== undefined && (await holdsJust(join(directory, current), payload))) return
  await chmod(directory, options.fsGroup === undefined ? 0o755 : groupReadableFolder(0o755))
  if (options.fsGroup !== undefined) await chown(directory, 0, options.fsGroup)
  const dated = await freshFolder(directory, options.nowMs)
  try {
    for (const [path, file] of payload) await writeOne(join(directory, dated), path, file, options.fsGroup)
    await replaceLink(directory, dated)
  } catch (error) {
    // On a full disk each try would take what is left of it.
    await rm(join(directory, dated), { recursive: true, force: true })
    throw error
  }
  await showNames(directory, payload)
  await removeOthers(directory, dated)
}

async function removeOthers(directory: string, dated: string): Promise<void> {
  const stale = (await readdir(directory)).filter((name) => /^\.\.\d/.test(name) && name !== dated)
  for (const name of stale) await rm(join(directory, name), { recursive: true, force: true })
}

async function freshFolder(directory: string, nowMs: number): Promise<string> {
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '_')
  for (let attempt = 0; ; attempt++) {
    const name = `..${stamp}.${attempt}`
    try {
      await mkdir(join(directory, name), { mode: 0o755 })
      return name
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 1000) throw error
    }
  }
}

async function writeOne(root: string, path: string, file: PayloadFile, fsGroup: number | undefined): Promise<void> {
  const target = join(root, path)
  if (!target.startsWith(`${root}/`)) throw new Error(`invalid path ${path}: must stay in the volume`)
  await mkdir(dirname(target), { recursive: true, mode: 0o755 })
  await writeFile(target, file.data, { mode: 0o600 })
  if (fsGroup !== undefined || file.user !== undefined) await chown(target, file.user ?? 0, fsGroup ?? 0)
  await chmod(target, fsGroup === undefined ? file.mode : groupReadableFile(file.mode))
}

async function replaceLink(directory: string, dated: string): Promise<void> {
  const temporary = join(directory, '..data_tmp')
  await rm(temporary, { force: true })
  await symlink(dated, temporary)
  await rename(temporary, join(directory, dataLink))
}

async function showNames(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] as string))
  for (const name of await readdir(directory)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(directory, name), { force: true })
    wanted.delete(name)
  }
  for (const name of wanted) await symlink(join(dataLink, name), join(directory, name))
}

async function holdsJust(folder: string, payload: Payload): Promise<boolean> {
  try {
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    if (files.length !== payload.size) return false
    for (const [path, file] of payload) {
      const target = join(folder, path)
      if (!Buffer.from(file.data).equals(await readFile(target))) return false
      if (((await lstat(target)).mode & 0o777 & ~0o440) !== (file.mode & ~0o440)) return false
    }
    return true
  } catch {
    return false
  }
}
