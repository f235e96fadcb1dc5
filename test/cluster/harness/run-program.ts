import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** The top of the checkout. */
export const checkout = join(import.meta.dirname, '../../..')

export interface ProgramResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Written to standard input, which is then closed. */
  readonly input?: string
  readonly timeoutMs?: number
}

/** Runs a program to its end and never throws for its exit code; 137 stands for one that ran out of time. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>()
  const written = { stdout: '', stderr: '' }
  const child = spawn(file, args, {
    cwd: checkout,
    env: { ...process.env, ...options.environment },
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text))
  child.stdin.on('error', () => undefined).end(options.input ?? '')
  child.once('error', reject)
  child.once('exit', (code) => {
    const finish = (): void => resolve({ code: code ?? 137, ...written })
    child.once('close', finish)
    // A daemon that the program leaves behind may keep the pipes open: its own end is what counts.
    setTimeout(finish, 1_000).unref()
  })
  return promise
}

/** Runs a program that has to succeed and returns its standard output. */
export async function outputOf(file: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runProgram(file, args, options)
  if (code === 0) return stdout
  throw new Error(`${file} ${args.join(' ')} ended with code ${code}:\n${stderr}${stdout}`)
}
