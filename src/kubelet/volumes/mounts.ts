import { readFile } from 'node:fs/promises'
import { runCommand } from '#lib/command.ts'
import { mountsUnder } from '#lib/mount-info.ts'

/** Mount points of this process's mount namespace at or below a path, deepest first. */
async function mountsBelow(path: string): Promise<readonly string[]> {
  return mountsUnder(await readFile('/proc/self/mountinfo', 'utf8'), [path])
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await mountsBelow(path)).includes(path)
}

/** Unmounts everything at or below the path. Throws while something stays mounted. */
export async function unmountBelow(path: string): Promise<void> {
  const points = await mountsBelow(path)
  for (const point of points) await runCommand('umount', [point])
}
