import { runCommand } from '#lib/command.ts'
import { failedLines, kernelRoutes, type KernelRoute } from './route-batch.ts'

/** The kernel's routes that carry our protocol number; those of others are never touched. */
export interface RouteTable {
  list(): Promise<readonly KernelRoute[]>
  /** Carries out what can be carried out. Answers the lines, counted from 1, that the kernel refused, with its reasons. */
  apply(batch: readonly string[]): Promise<ReadonlyMap<number, string>>
}

/** By iproute2. */
export function kernelRouteTable(protocol: number): RouteTable {
  const show = async (family: string): Promise<readonly KernelRoute[]> => {
    const { stdout } = await runCommand('ip', [family, '-json', 'route', 'show', 'proto', String(protocol)])
    return kernelRoutes(stdout.trim())
  }
  return {
    async list() {
      // A machine without IPv6 has no routes of it.
      return [...(await show('-4')), ...(await show('-6').catch(() => []))]
    },
    async apply(batch) {
      const input = batch.map((line) => `${line}\n`).join('')
      const { stderr } = await runCommand('ip', ['-force', '-batch', '-'], { input, acceptedCodes: [0, 1, 2, 255] })
      return failedLines(stderr)
    },
  }
}
