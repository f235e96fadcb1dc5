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

/** Every mount of control groups in the text of `/proc/self/mounts`, whichever version and whatever it is for. */
export function cgroupMounts(mounts: string): string[] {
  const groups = mountRows(mounts).filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
  return [...new Set(groups.map(([, target = '']) => target))]
}

/** Reads the layout from the text of `/proc/self/mounts`. A v2 hierarchy beside a v1 memory controller is of no use. */
export function cgroupLayout(mounts: string): CgroupLayout {
  const rows = mountRows(mounts)
  const controllers: Record<string, string> = {}
  for (const [, target = '', type, options = ''] of rows) {
    if (type !== 'cgroup') continue
    for (const option of options.split(',')) if (knownControllers.has(option)) controllers[option] = target
  }
  const unified = rows.find(([, , type]) => type === 'cgroup2')?.[1]
  if (unified !== undefined && controllers['memory'] === undefined) return { version: 2, root: unified }
  // The runtime makes groups in the unused v2 hierarchy too.
  return { version: 1, controllers, mountPoints: cgroupMounts(mounts) }
}

const knownControllers = new Set(
  'blkio cpu cpuacct cpuset devices freezer hugetlb memory net_cls net_prio perf_event pids'.split(' '),
)

function mountRows(mounts: string): string[][] {
  return mounts.split('\n').map((line) => line.split(' '))
}
