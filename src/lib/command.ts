import { spawn } from 'node:child_process'

export interface CommandOptions {
  /** Written to the command's standard input, which is then closed. */
  readonly input?: string
  /** Killed with SIGKILL after this long. Default 60 s. */
  readonly timeoutMs?: number
  readonly environment?: Readonly<Record<string, string>>
  /** Exit codes that are no failure; default only 0. */
  readonly acceptedCodes?: readonly number[]
}

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command that could not be started, was killed, or ended with a code nobody accepts. */
class CommandError extends Error {
  readonly code: number | undefined
  readonly stderr: string
  constructor(command: string, why: string, code: number | undefined, stderr: string) {
    super(`${command}: ${why}${stderr === '' ? '' : `: ${stderr.trim().slice(-2000)}`}`)
    this.name = 'CommandError'
    this.code = code
    this.stderr = stderr
  }
}

/** Output beyond this is dropped: no caller needs more, and a runaway command must not fill the memory. */
const maxOutputBytes = 16 * 1024 * 1024

/**
 * Runs a program without a shell and waits for its end. Throws `CommandError`; its message carries the program's
 * name and standard error but never its arguments or input, which may hold secrets.
 */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>()
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
    ...(options.environment && { env: { ...process.env, ...options.environment } }),
  })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  child.once('error', (error) => reject(new CommandError(file, error.message, undefined, '')))
  child.once('close', (code, signal) => {
    if (code === null) reject(new CommandError(file, `ended by ${signal ?? 'a signal'}`, undefined, stderr()))
    else if (!(options.acceptedCodes ?? [0]).includes(code)) {
      reject(new CommandError(file, `exit code ${code}`, code, stderr()))
    } else resolve({ code, stdout: stdout(), stderr: stderr() })
  })
  // A program that ends without reading its input closes the pipe early; its exit code tells what matters.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  return promise
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxOutputBytes) chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}
