import { readdirSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '#lib/command.ts'

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
