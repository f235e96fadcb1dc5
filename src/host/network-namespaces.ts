import { readdirSync, readFileSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '#lib/command.ts'
import { mountsUnder } from '#lib/mount-info.ts'

const namespaceFolder = '/run/netns'

/** The named network namespaces (`/run/netns/…`) that the given processes live in, save the host's own. */
export function namespacesOf(pids: readonly number[]): string[] {
  const inodes = new Set(pids.map((pid) => inodeOf(`/proc/${pid}/ns/net`)))
  inodes.delete(inodeOf('/proc/self/ns/net'))
  inodes.delete(undefined)
  return readFolder(namespaceFolder)
    .map((name) => join(namespaceFolder, name))
    .filter((path) => inodes.has(inodeOf(path)))
}

/** Removes a named namespace: its interfaces end with it, once no process is left in it. */
export async function removeNamespace(path: string): Promise<void> {
  await runCommand('umount', [path]).catch(() => undefined)
  await rm(path, { force: true })
}

/** As containerd names the namespaces that it makes for sandboxes. */
const madeByContainerd = /^cni-[0-9a-f]+(-[0-9a-f]+){4}$/

export interface UnfinishedOptions {
  /** When the containerd began that has made them; older ones are somebody else's. */
  readonly sinceMs: number
  readonly folder?: string
}

/**
 * Removes the empty files of namespaces that a containerd was about to make when it was killed. Only to be called while
 * it does not run.
 */
export async function removeUnfinishedNamespaces({
  sinceMs,
  folder = namespaceFolder,
}: UnfinishedOptions): Promise<void> {
  const mounted = new Set(mountsUnder(readFileSync('/proc/self/mountinfo', 'utf8'), [folder]))
  for (const name of readFolder(folder).filter((each) => madeByContainerd.test(each))) {
    const path = join(folder, name)
    const stats = statSync(path, { throwIfNoEntry: false })
    const isEmptyFile = stats?.isFile() === true && stats.size === 0 && stats.mtimeMs >= sinceMs
    if (isEmptyFile && !mounted.has(path)) await rm(path, { force: true })
  }
}

/** A namespace file and the process's link to it have the same inode number on the nsfs device. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino
  } catch {
    return undefined
  }
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
