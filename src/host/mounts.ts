import { readFileSync } from 'node:fs'
import { runCommand } from '#lib/command.ts'
import { mountsUnder } from '#lib/mount-info.ts'

/** Unmounts everything at or below the folders. A mount that is busy is detached at once and freed when its users end. */
export async function unmountUnder(folders: readonly string[]): Promise<void> {
  const points = mountsUnder(readFileSync('/proc/self/mountinfo', 'utf8'), folders)
  for (const point of points) {
    await runCommand('umount', ['--no-canonicalize', point]).catch(() => runCommand('umount', ['--lazy', point]))
  }
}
