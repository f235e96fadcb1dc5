import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** A process, told apart from later ones with the same pid by the time it started (clock ticks since boot). */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: string
}

/** The identity of a running process, or undefined where there is none (a zombie counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command name in parentheses may hold spaces; the fields after it are fixed: state first, start time 20th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const startTicks = fields[19]
    return startTicks === undefined || fields[0] === 'Z' ? undefined : { pid, startTicks }
  } catch {
    return undefined
  }
}

/** Whether that very process still runs. */
export function isRunning(target: ProcessIdentity): boolean {
  return identify(target.pid)?.startTicks === target.startTicks
}

/** Writes a pid file (0600) that `readProcessFile` can check; the folder is made if missing. */
export async function writeProcessFile(path: string, pid: number): Promise<void> {
  const identity = identify(pid)
  if (!identity) throw new Error(`Process ${pid} has ended`)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, `${identity.pid} ${identity.startTicks}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** The process a pid file names, if that very process still runs. */
export function readProcessFile(path: string): ProcessIdentity | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  const [pid, startTicks] = text.trim().split(' ')
  const running = identify(Number(pid))
  return running?.startTicks === startTicks ? running : undefined
}
