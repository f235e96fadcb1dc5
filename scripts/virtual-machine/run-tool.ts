import { runProgram } from '../gate/run-program.ts'

/** Runs a program that has to succeed; throws with what it said. */
export async function runTool(file: string, args: readonly string[], timeoutMs = 600_000): Promise<void> {
  const { ok, output } = await runProgram(file, args, { timeoutMs })
  if (!ok) throw new Error(`${file} failed:\n${output.trim().split('\n').slice(-10).join('\n')}`)
}
