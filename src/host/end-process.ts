import type { Clock } from '#lib/clock.ts'
import { isRunning, type ProcessIdentity } from './process-file.ts'

const graceMs = 10_000
const checkEveryMs = 25

/** Ends one process: SIGTERM, and SIGKILL after ten seconds. Resolves when it is gone; a reused pid is never hit. */
export async function endProcess(target: ProcessIdentity, clock: Clock): Promise<void> {
  signalProcess(target, 'SIGTERM')
  const deadlineMs = clock.monotonic() + graceMs
  while (isRunning(target)) {
    if (clock.monotonic() > deadlineMs) signalProcess(target, 'SIGKILL')
    // The kernel tells only a parent when a process ends; for somebody else's child there is nothing to wait on.
    await clock.sleep(checkEveryMs)
  }
}

function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(target)) return
  try {
    process.kill(target.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
