import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import type { LoginManager } from './login-manager.ts'

export interface InhibitDelayOptions {
  /** A file below `logind.conf.d`; written only where the machine would not wait long enough. */
  readonly dropIn: string
  readonly clock: Clock
}

/** The signal to read its configuration reaches systemd-logind a little after we are told that it was sent. */
const looks = 10
const lookAgainMs = 100

/** Makes systemd-logind wait for as long as is needed. Resolves with how long it waits now. */
export async function ensureInhibitDelay(
  logind: Pick<LoginManager, 'inhibitDelayMs' | 'reload'>,
  neededMs: number,
  { dropIn, clock }: InhibitDelayOptions,
): Promise<number> {
  let delayMs = await logind.inhibitDelayMs()
  if (delayMs >= neededMs) return delayMs
  await mkdir(dirname(dropIn), { recursive: true })
  await writeFile(`${dropIn}.new`, dropInText(neededMs))
  await rename(`${dropIn}.new`, dropIn)
  await logind.reload()
  for (let look = 0; look < looks; look++) {
    delayMs = await logind.inhibitDelayMs()
    if (delayMs >= neededMs) break
    await clock.sleep(lookAgainMs)
  }
  return delayMs
}

/** What makes systemd-logind wait for so long. */
function dropInText(neededMs: number): string {
  return `# Written by coracle: the pods of this node need so long to end before the machine goes down.
[Login]
InhibitDelayMaxSec=${Math.ceil(neededMs / 1000)}
`
}
