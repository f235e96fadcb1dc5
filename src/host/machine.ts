import { existsSync, readFileSync } from 'node:fs'
import { cgroupMounts } from '#lib/cgroup-layout.ts'

/** What this machine can do, found by looking. */
export interface Machine {
  readonly isLinux: boolean
  readonly isRoot: boolean
  /** Where control groups are mounted, each controller's mount, the named ones and an unused v2 hierarchy included. */
  readonly cgroupMounts: readonly string[]
  /** Without CAP_SYS_RESOURCE the kernel refuses to lower an OOM score, and containers that ask for it do not start. */
  readonly canLowerOomScore: boolean
}

const capSysResource = 24n

/** Looks at the machine; reads only files under /proc. */
export function detectMachine(): Machine {
  const isLinux = process.platform === 'linux'
  return {
    isLinux,
    isRoot: process.getuid?.() === 0,
    cgroupMounts: cgroupMounts(isLinux ? readFileSync('/proc/self/mounts', 'utf8') : ''),
    canLowerOomScore: isLinux && hasCapability(readFileSync('/proc/self/status', 'utf8'), capSysResource),
  }
}

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
