import { readFile } from 'node:fs/promises'
import { runCommand } from '#lib/command.ts'

/** Mount points of this process's mount namespace at or below a path, deepest first. */
async function mountsBelow(path: string): Promise<readonly string[]> {
  return parseMounts(await readFile('/proc/self/mountinfo', 'utf8'), path)
}

/** Reads the text of `/proc/self/mountinfo`; the newest mount comes last there, so the order is turned round. */
export function parseMounts(mountInfo: string, path: string): readonly string[] {
  const points = mountInfo.split('\n').flatMap((line) => {
    const field = line.split(' ')[4]
    return field === undefined ? [] : [unescape(field)]
  })
  return points.filter((point) => point === path || point.startsWith(`${path}/`)).reverse()
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await mountsBelow(path)).includes(path)
}

/** Unmounts everything at or below the path. Throws while something stays mounted. */
export async function unmountBelow(path: string): Promise<void> {
  const points = await mountsBelow(path)
  for (const point of points) await runCommand('umount', [point])
}

/** mountinfo writes spaces and the like as three octal digits. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
