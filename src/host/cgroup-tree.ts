import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'

/** The folders that stand for one cgroup path: one under each mount that has it. */
function cgroupFolders(mounts: readonly string[], path: string): string[] {
  return mounts.map((mount) => join(mount, path)).filter((folder) => existsSync(folder))
}

/** All processes in the cgroup path and below it. */
export function cgroupProcesses(mounts: readonly string[], path: string): number[] {
  const pids = cgroupFolders(mounts, path).flatMap((folder) => foldersUnder(folder).flatMap(processesOf))
  return [...new Set(pids)]
}

/** Removes the cgroup path with all below it; its processes must have ended. */
export async function removeCgroups(mounts: readonly string[], path: string): Promise<void> {
  for (const folder of cgroupFolders(mounts, path)) {
    for (const inner of foldersUnder(folder).reverse()) await rmdir(inner)
  }
}

/** The folder and everything below it, parents first. */
function foldersUnder(folder: string): string[] {
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [folder, ...inner.flatMap((entry) => foldersUnder(join(folder, entry.name)))]
}

function processesOf(folder: string): number[] {
  const text = readFileSync(join(folder, 'cgroup.procs'), 'utf8')
  return text.split('\n').filter(Boolean).map(Number)
}
