import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CgroupLayout } from '#lib/cgroup-layout.ts'
import { parseInterfaces, type InterfaceCounters } from '../node/linux-usage.ts'
import { parseCgroupUsage, usageFiles, type CgroupUsage } from './cgroup-usage.ts'

/** What a group uses, with the network of its first process. */
export interface GroupUsage extends CgroupUsage {
  readonly path: string
  readonly interfaces: readonly InterfaceCounters[]
}

/** `undefined` when there is no such group, or nothing in it. */
export async function readGroupUsage(layout: CgroupLayout, path: string): Promise<GroupUsage | undefined> {
  const files = await readGroup(layout, path)
  const [pid] = (files['cgroup.procs'] ?? '').split('\n')
  if (!pid) return undefined
  const network = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => '')
  return { path, ...parseCgroupUsage(layout.version, files), interfaces: parseInterfaces(network) }
}

async function readGroup(layout: CgroupLayout, path: string): Promise<Readonly<Record<string, string>>> {
  const groups: readonly (readonly [controller: string, files: readonly string[]])[] = Object.entries(
    usageFiles[layout.version],
  )
  const read = groups.flatMap(([controller, files]) => {
    const top = layout.version === 2 ? layout.root : layout.controllers[controller]
    return top === undefined ? [] : files.map(async (file) => [file, await text(join(top, path, file))] as const)
  })
  const known = await Promise.all(read)
  return Object.fromEntries(known.flatMap(([file, content]) => (content === undefined ? [] : [[file, content]])))
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
