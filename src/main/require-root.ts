import type { Machine } from '#host/machine.ts'

/** Throws one clear sentence where the command cannot work: not on Linux, or not as root. */
export function requireRoot(machine: Machine, command: string): void {
  if (!machine.isLinux) {
    throw new Error(`${command} runs containers and needs Linux; "coracle server --simulated-nodes 3" runs anywhere`)
  }
  if (!machine.isRoot) {
    throw new Error(
      `${command} must run as root: it manages containers, mounts and network. Try: sudo ${command}, or coracle server --simulated-nodes 3`,
    )
  }
}
