import { runUp } from './run-up.ts'
import type { UpMessage, UpSettings } from './up-message.ts'

/** The background process of `coracle up`: runs the cluster and tells its starter how far it is. */
const settings = JSON.parse(process.argv[2] ?? '{}') as UpSettings

// The starter may be gone by the time a message is sent; the cluster goes on without it.
process.on('disconnect', () => undefined)
const tell = (message: UpMessage): void => {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
}

try {
  await runUp(settings, tell)
} catch (error) {
  process.stderr.write(`${(error as Error).stack}\n`)
  const reason = (error as Error).message
  await new Promise<void>((resolve) => {
    if (process.connected)
      process.send?.({ type: 'failed', reason } satisfies UpMessage, undefined, undefined, () => resolve())
    else resolve()
  })
  process.exit(1)
}
