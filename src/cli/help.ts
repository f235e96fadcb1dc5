import type { Command, Flag, Program } from './command.ts'
import { formatFlagValue } from './flag-value.ts'

/** The text of `<program> --help`: what it is, the commands under their headings, the usage line. */
export function programHelp(program: Program): string {
  return [
    `${program.description}\n`,
    commandLists(program.commands),
    `Usage:\n  ${program.name} [flags] [options]\n`,
    `Use "${program.name} <command> --help" for more information about a given command.\n`,
  ].join('\n')
}

/** The text of `<program> <command> --help`. `path` is everything the user typed before the flags. */
export function commandHelp(path: string, command: Command): string {
  return [
    `${command.description ?? `${command.summary}.`}\n`,
    section('Examples', command.examples?.map((line) => (line === '' ? '' : `  ${line}`)) ?? []),
    commandLists(command.commands ?? []),
    section('Options', command.flags.filter((flag) => !flag.hidden).map(flagHelp)),
    `Usage:\n  ${usageLine(path, command)}\n`,
    command.commands ? `Use "${path} <command> --help" for more information about a given command.\n` : '',
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function usageLine(path: string, command: Command): string {
  if (command.commands) return `${path} [flags] [options]`
  const operands = command.operands === undefined ? '' : ` ${command.operands}`
  return `${path}${operands}${command.flags.length > 0 ? ' [options]' : ''}`
}

function flagHelp(flag: Flag): string {
  const shorthand = flag.shorthand === undefined ? '' : `-${flag.shorthand}, `
  return `    ${shorthand}--${flag.name}=${formatFlagValue(flag)}:\n\t${flag.help}\n`
}

function commandLists(commands: readonly Command[]): string {
  const width = Math.max(15, ...commands.map((command) => command.name.length))
  const groups = Map.groupBy(commands, (command) => command.group ?? 'Available Commands')
  const lists = [...groups].map(([heading, rows]) =>
    section(
      heading,
      rows.map((row) => `  ${row.name.padEnd(width)} ${row.summary}`),
    ),
  )
  return lists.join('\n')
}

function section(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${heading}:\n${lines.join('\n').trimEnd()}\n`
}
