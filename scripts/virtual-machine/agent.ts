import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'

export interface GuestCommand {
  /** The path of the socket that leads to the guest's agent. */
  readonly socket: string
  /** For bash. */
  readonly script: string
  readonly onOutput: (text: string) => void
  readonly timeoutMs: number
}

/**
 * Runs a script in the guest and resolves with its exit code. Throws when it does not end in time or the machine goes
 * away. One script at a time: a second one waits for the first.
 */
export async function runInGuest({ socket, script, onOutput, timeoutMs }: GuestCommand): Promise<number> {
  const signal = AbortSignal.timeout(timeoutMs)
  const connection = connect(socket)
  await once(connection, 'connect', { signal })
  const mark = `coracle-${randomBytes(8).toString('hex')}`
  const end = new RegExp(`\\n${mark} (\\d+)\\r?\\n`)
  connection.write(`${mark} ${Buffer.from(script).toString('base64')}\n`)
  let pending = ''
  try {
    for await (const chunk of connection.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      if (signal.aborted) break
      pending += chunk as string
      const found = end.exec(pending)
      // The end may come in pieces: a line that may become it is held back.
      const ready = found ? found.index : Math.max(0, pending.lastIndexOf('\n'))
      onOutput(pending.slice(0, ready))
      pending = pending.slice(ready)
      if (found) return Number(found[1])
    }
  } finally {
    connection.destroy()
  }
  throw new Error('the virtual machine ended')
}

/** Waits until the guest's agent answers; `isRunning` tells whether it still can. */
export async function guestAnswers(socket: string, isRunning: () => boolean, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (performance.now() < deadlineMs) {
    if (!isRunning()) throw new Error('the virtual machine ended while it booted')
    // What is sent before the agent listens is kept by the port.
    const code = await runInGuest({ socket, script: 'true', onOutput: () => undefined, timeoutMs }).catch(
      () => undefined,
    )
    if (code === 0) return
    await setTimeout(200)
  }
  throw new Error(`the virtual machine did not answer within ${timeoutMs / 1000} s`)
}
