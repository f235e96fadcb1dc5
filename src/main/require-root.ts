import type { Machine } from '#host/machine.ts'

/** Throws one clear sentence where the command cannot work: not on Linux, or not as root. */
export function requireRoot(machine: Machine, command: string): void {
  if (!machine.isLinux) {
    throw new Error(`${command} runs containers and needs Linux; "coracle server" runs the control plane anywhere`)
  }
  if (!machine.isRoot) {
    throw new Error(`${command} must run as root: it manages containers, mounts and network. Try: sudo ${command}`)
  }
}
