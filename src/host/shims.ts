import { readdirSync, readFileSync } from 'node:fs'

/** The containerd shims that serve the containerd at `socket`. */
export function shimsOf(socket: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isShimOf(commandLineOf(pid), socket))
    .map(Number)
}

function isShimOf(commandLine: readonly string[], socket: string): boolean {
  const address = commandLine.indexOf('-address')
  return (commandLine[0] ?? '').includes('containerd-shim') && address > 0 && commandLine[address + 1] === socket
}

function commandLineOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
