import { UsageError } from './command.ts'
import type { Command, Program, Terminal } from './command.ts'
import { commandHelp, programHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { suggest } from './suggest.ts'

/**
 * Runs the command that `args` (without the program's own name) asks for and resolves with the exit code. Help goes to
 * standard output; every failure is one `error: …` on standard error with exit code 1, or the command's own for a wrong
 * command line, and never a stack trace.
 */
export async function runCommandLine(program: Program, args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await runProgram(program, args, terminal)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    terminal.writeError(`error: ${message}\n`)
    return error instanceof UsageError ? error.exitCode : 1
  }
}

async function runProgram(program: Program, args: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = args
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') {
    const topic = first === 'help' ? args.slice(1).filter((word) => !word.startsWith('-')) : []
    if (topic.length > 0) return runProgram(program, [...topic, '--help'], terminal)
    terminal.write(programHelp(program))
    return 0
  }
  if (first.startsWith('-')) parseWithPointer(program.name, { flags: [] }, args)
  return runCommand(program.name, program.commands, args, terminal)
}

async function runCommand(
  path: string,
  commands: readonly Command[],
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const [name = '', ...rest] = args
  const command = commands.find((candidate) => candidate.name === name)
  if (!command) throw new UsageError(unknownCommand(path, commands, name))
  const fullPath = `${path} ${name}`
  if (command.commands && rest[0] !== undefined && !rest[0].startsWith('-')) {
    return runCommand(fullPath, command.commands, rest, terminal)
  }
  const parsed = parseWithPointer(fullPath, command, rest)
  if (parsed.help || !command.run) {
    terminal.write(commandHelp(fullPath, command))
    return 0
  }
  if (command.operands === undefined && parsed.operands.length > 0) {
    throw new UsageError(`unexpected argument: ${parsed.operands[0]}\n${pointer(fullPath)}`)
  }
  return (await command.run({ ...parsed, terminal })) ?? 0
}

function parseWithPointer(
  path: string,
  { flags, usageExitCode }: Pick<Command, 'flags' | 'usageExitCode'>,
  args: readonly string[],
): ReturnType<typeof parseArguments> {
  try {
    return parseArguments(flags, args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const exitCode = usageExitCode ?? error.exitCode
    throw new UsageError(`${error.message}\n${pointer(path)}`, { cause: error, exitCode })
  }
}

function pointer(path: string): string {
  return `See '${path} --help' for usage.`
}

function unknownCommand(path: string, commands: readonly Command[], name: string): string {
  const near = suggest(
    name,
    commands.map((command) => command.name),
  )
  const hint = near.length === 0 ? `\n${pointer(path)}` : `\n\nDid you mean this?\n\t${near.join('\n\t')}`
  return `unknown command "${name}" for "${path}"${hint}`
}
