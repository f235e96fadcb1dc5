import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/** systemd-logind waits with the machine's end for as long as this is held. */
export interface ShutdownLock {
  /** Resolves when the lock is gone, by `release` or because its holder has died. */
  readonly gone: Promise<void>
  release(): void
}

/** Takes the lock and then passes on what comes in, until that ends. */
const holder: readonly string[] = [
  'systemd-inhibit',
  '--what=shutdown',
  '--mode=delay',
  '--who=kubelet',
  '--why=Kubelet needs time to handle node shutdown',
  'cat',
]

const longestComplaint = 2_000

/**
 * Takes the lock. The lock is an open file that systemd-logind hands out and that Node cannot receive: a child holds it,
 * whose standard input ends with this process however that ends. Rejects with what the child has to say.
 */
export async function takeShutdownLock(command: readonly string[] = holder): Promise<ShutdownLock> {
  const [program = '', ...args] = command
  // A session of its own: what ends this process from the keyboard leaves the lock to this process.
  const child = spawn(program, args, { stdio: 'pipe', detached: true })
  const gone = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(0, longestComplaint)
  })
  child.stdin.on('error', () => undefined)
  child.once('error', (error) => held.reject(error))
  child.once('close', () => {
    held.reject(new Error(`${program}: ${complaint.trim()}`))
    gone.resolve()
  })
  child.stdout.once('data', () => held.resolve())
  // What comes back was passed on by a child that has the lock.
  child.stdin.write('\n')
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as Socket).unref()
  child.unref()
  await held.promise
  return { gone: gone.promise, release: () => void child.stdin.end() }
}
