import { existsSync, readFileSync } from 'node:fs'

/** What this machine can do, found by looking. */
export interface Machine {
  readonly isLinux: boolean
  readonly isRoot: boolean
  readonly cgroups: CgroupSetup
  /** Without CAP_SYS_RESOURCE the kernel refuses to lower an OOM score, and containers that ask for it do not start. */
  readonly canLowerOomScore: boolean
}

export type CgroupSetup =
  /** The unified hierarchy alone. */
  | { readonly version: 2; readonly root: string }
  /** Controllers mounted one by one: the mount point of each that is usable. */
  | { readonly version: 1; readonly controllers: Readonly<Record<string, string>> }

const capSysResource = 24n

/** Looks at the machine; reads only files under /proc. */
export function detectMachine(): Machine {
  const isLinux = process.platform === 'linux'
  return {
    isLinux,
    isRoot: process.getuid?.() === 0,
    cgroups: cgroupSetup(isLinux ? readFileSync('/proc/self/mounts', 'utf8') : ''),
    canLowerOomScore: isLinux && hasCapability(readFileSync('/proc/self/status', 'utf8'), capSysResource),
  }
}

/** Reads the cgroup layout from the text of `/proc/self/mounts`. An empty v2 hierarchy beside v1 controllers does not count. */
export function cgroupSetup(mounts: string): CgroupSetup {
  const rows = mounts.split('\n').map((line) => line.split(' '))
  const controllers: Record<string, string> = {}
  for (const [, target, type, options] of rows) {
    if (type !== 'cgroup' || target === undefined) continue
    for (const option of (options ?? '').split(',')) if (knownControllers.has(option)) controllers[option] = target
  }
  const unified = rows.find(([, , type]) => type === 'cgroup2')?.[1]
  return unified !== undefined && controllers['memory'] === undefined
    ? { version: 2, root: unified }
    : { version: 1, controllers }
}

const knownControllers = new Set(
  'blkio cpu cpuacct cpuset devices freezer hugetlb memory net_cls net_prio perf_event pids'.split(' '),
)

/** Whether the `CapEff` line of a `/proc/<pid>/status` text has the capability's bit. */
export function hasCapability(status: string, bit: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  return effective !== undefined && (BigInt(`0x${effective}`) & (1n << bit)) !== 0n
}

/** The first folder that holds the program, searched as the shell would and in the system folders besides. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => `${folder}/${name}`)
    .find((path) => existsSync(path))
}
