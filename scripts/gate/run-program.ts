import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** The top of the checkout; every step runs there. */
export const root = join(import.meta.dirname, '../..')

export interface ProgramResult {
  readonly ok: boolean
  /** Standard output and standard error as they came. */
  readonly output: string
  readonly seconds: number
}

interface ProgramOptions {
  readonly timeoutMs: number
  /** Receives the output while the program runs. */
  readonly onOutput?: (text: string) => void
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs a program at the top of the checkout to its end. A program that exceeds its time is killed and has failed. */
export function runProgram(file: string, args: readonly string[], options: ProgramOptions): Promise<ProgramResult> {
  const { promise, resolve } = Promise.withResolvers<ProgramResult>()
  const started = performance.now()
  let output = ''
  const collect = (text: string): void => {
    output += text
    options.onOutput?.(text)
  }
  const child = spawn(file, args, {
    cwd: root,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  })
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  const end = (ok: boolean, note: string): void => {
    if (note !== '') collect(`${note}\n`)
    resolve({ ok, output, seconds: (performance.now() - started) / 1_000 })
  }
  child.once('error', (error) => end(false, error.message))
  child.once('exit', (code, signal) => {
    const finish = (): void => end(code === 0, code === null ? `${file} was ended by ${signal}` : '')
    child.once('close', finish)
    // A grandchild that keeps the pipe open must not keep the gate waiting.
    setTimeout(finish, 2_000).unref()
  })
  return promise
}
