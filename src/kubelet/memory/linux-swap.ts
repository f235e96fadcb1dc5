import type { SystemFiles } from '../topology/read-topology.ts'

/** Bytes of all swap of the machine that is in use, from `/proc/swaps`; 0: there is none. */
export async function readSwapCapacity(files: SystemFiles): Promise<number> {
  const [, ...rows] = ((await files.text('/proc/swaps')) ?? '').trim().split('\n')
  return rows.reduce((sum, row) => sum + Number(row.split(/\s+/)[2] ?? 0) * 1024, 0)
}
