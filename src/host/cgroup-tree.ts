import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CgroupSetup } from './machine.ts'

/** The folders that stand for one cgroup path: one under each controller's mount on v1, one on v2. */
function cgroupFolders(setup: CgroupSetup, path: string): string[] {
  const roots = setup.version === 2 ? [setup.root] : [...new Set(Object.values(setup.controllers))]
  return [...roots, ...namedHierarchies()].map((root) => join(root, path)).filter((folder) => existsSync(folder))
}

/** runc also makes its cgroups in hierarchies without controllers (`name=systemd`) and in the empty v2 one. */
function namedHierarchies(): string[] {
  return ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified'].filter((folder) => existsSync(folder))
}

/** All processes in the cgroup path and below it. */
export function cgroupProcesses(setup: CgroupSetup, path: string): number[] {
  const pids = cgroupFolders(setup, path).flatMap((folder) => foldersUnder(folder).flatMap(processesOf))
  return [...new Set(pids)]
}

/** Removes the cgroup path with all below it; its processes must have ended. */
export async function removeCgroups(setup: CgroupSetup, path: string): Promise<void> {
  for (const folder of cgroupFolders(setup, path)) {
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
