/** The value kinds a flag can have. A `duration` is written as Go writes it (`1h30m`, `500ms`) and read as milliseconds. */
export type FlagType = 'string' | 'boolean' | 'integer' | 'duration' | 'list'

/** What each flag type becomes after parsing. */
export interface FlagTypeValues {
  string: string
  boolean: boolean
  integer: number
  duration: number
  list: readonly string[]
}

export type FlagValue = FlagTypeValues[FlagType]

interface FlagOf<T extends FlagType> {
  /** Long name without dashes. */
  readonly name: string
  /** One letter, for `-n`. */
  readonly shorthand?: string
  readonly type: T
  /** Used when the flag is absent; printed by `--help` as kubectl prints it. */
  readonly default: FlagTypeValues[T]
  /** One or more sentences. */
  readonly help: string
  /** The value that a bare `--name` stands for, for flags whose value is optional (`--dry-run`). */
  readonly bareValue?: string
  /** Accepted, but left out of `--help`. */
  readonly hidden?: boolean
}

/** One row of a command's flag table. A repeated flag overrides, except that a `list` adds up. */
export type Flag = { [T in FlagType]: FlagOf<T> }[FlagType]

/** The parsed values by flag name, typed from the table itself. */
export type FlagValues<F extends readonly Flag[]> = {
  readonly [K in F[number] as K['name']]: FlagTypeValues[K['type']]
}

/** Where a command writes. Tests pass arrays, the program passes the process's streams. */
export interface Terminal {
  write(text: string): void
  writeError(text: string): void
}

/** One call of one command. */
export interface Invocation<V = Readonly<Record<string, FlagValue>>> {
  readonly values: V
  /** Names of the flags that were written on the command line, to tell a default from a choice. */
  readonly given: ReadonlySet<string>
  /** The words that are neither flags nor their values, and everything after `--`. */
  readonly operands: readonly string[]
  readonly terminal: Terminal
}

interface CommandText {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Paragraphs for `--help`; the summary stands in when absent. */
  readonly description?: string
  /** Lines of `# what` and `command`, printed indented under "Examples:". */
  readonly examples?: readonly string[]
  /** How operands are written in the usage line, such as `NAME [NAME…]`. Without it the command takes none. */
  readonly operands?: string
  /** Heading under which the program's `--help` lists the command. */
  readonly group?: string
  /** The exit code for a wrong command line, where 1 means something else; default 1. */
  readonly usageExitCode?: number
}

/** A command that does something. `run` resolves with the exit code; nothing means 0. */
export interface CommandSpec<F extends readonly Flag[]> extends CommandText {
  readonly flags: F
  run(invocation: Invocation<FlagValues<F>>): Promise<number | void>
}

/** A row of the command table, with or without commands below it. */
export interface Command extends CommandText {
  readonly flags: readonly Flag[]
  readonly commands?: readonly Command[]
  run?(invocation: Invocation): Promise<number | void>
}

/** The whole program: its name as the user types it, and its commands in the order of `--help`. */
export interface Program {
  readonly name: string
  readonly description: string
  readonly commands: readonly Command[]
}

/** Makes a command whose `run` sees its flags with their types. */
export function defineCommand<const F extends readonly Flag[]>(spec: CommandSpec<F>): Command {
  return spec
}

/** Makes a command that only holds others, such as `token` with `create` and `list`. */
export function defineCommandGroup(group: CommandText & { readonly commands: readonly Command[] }): Command {
  return { ...group, flags: [] }
}

/** The command line is wrong. Reported as `error: <message>` with a pointer to `--help` and the exit code. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly exitCode: number

  constructor(message: string, options: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options)
    this.exitCode = options.exitCode ?? 1
  }
}
