import { readFile } from 'node:fs/promises'

/** How the kernel's control groups are mounted. */
export type CgroupLayout =
  /** One hierarchy for everything. */
  | { readonly version: 2; readonly root: string }
  /** A hierarchy per controller: mount points by controller, and all of them, named ones included. */
  | {
      readonly version: 1
      readonly controllers: Readonly<Record<string, string>>
      readonly mountPoints: readonly string[]
    }

export async function detectCgroups(): Promise<CgroupLayout> {
  return cgroupLayout(await readFile('/proc/self/mounts', 'utf8'))
}

/** Reads the layout from the text of `/proc/self/mounts`. A v2 hierarchy beside a v1 memory controller is of no use. */
export function cgroupLayout(mounts: string): CgroupLayout {
  const rows = mounts.split('\n').map((line) => line.split(' '))
  const old = rows.filter(([, , type]) => type === 'cgroup')
  // The runtime makes groups in the unused v2 hierarchy too.
  const all = rows.filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
  const controllers: Record<string, string> = {}
  for (const [, target = '', , options = ''] of old)
    for (const option of options.split(',')) controllers[option] = target
  const unified = rows.find(([, , type]) => type === 'cgroup2')?.[1]
  if (unified !== undefined && controllers['memory'] === undefined) return { version: 2, root: unified }
  return { version: 1, controllers, mountPoints: [...new Set(all.map(([, target = '']) => target))] }
}
