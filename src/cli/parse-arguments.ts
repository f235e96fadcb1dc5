import { UsageError } from './command.ts'
import type { Flag, FlagValue } from './command.ts'
import { parseFlagValue } from './flag-value.ts'

/** What a command line says: every flag of the table has a value, given or default. */
export interface ParsedArguments {
  readonly values: Readonly<Record<string, FlagValue>>
  readonly given: ReadonlySet<string>
  readonly operands: readonly string[]
  /** `--help` or `-h` was written before `--`. */
  readonly help: boolean
}

interface Parse {
  readonly flags: readonly Flag[]
  readonly rest: string[]
  readonly values: Record<string, FlagValue>
  readonly given: Set<string>
  readonly operands: string[]
  help: boolean
}

/**
 * Reads arguments by the rules of kubectl's flag library: `--flag=value`, `--flag value`, `--switch`, `--switch=false`,
 * `-n value`, `-nvalue`, `-n=value`, grouped switches `-it`, flags and operands in any order, `--` ends the flags.
 * Throws a `UsageError` in kubectl's wording for the first unknown flag, missing value or value of the wrong type.
 */
export function parseArguments(flags: readonly Flag[], args: readonly string[]): ParsedArguments {
  const defaults = Object.fromEntries(flags.map((flag) => [flag.name, flag.default]))
  const parse: Parse = { flags, rest: [...args], values: defaults, given: new Set(), operands: [], help: false }
  for (let word = parse.rest.shift(); word !== undefined; word = parse.rest.shift()) {
    if (word === '--') parse.operands.push(...parse.rest.splice(0))
    else if (word.startsWith('--')) readLong(parse, word)
    else if (word.startsWith('-') && word !== '-') readShorthands(parse, word)
    else parse.operands.push(word)
  }
  return parse
}

function readLong(parse: Parse, word: string): void {
  const [, name = '', , inline] = /^--([^=]*)(=(.*))?$/s.exec(word) ?? []
  if (name === '' || name.startsWith('-')) throw new UsageError(`bad flag syntax: ${word}`)
  const flag = parse.flags.find((candidate) => candidate.name === name)
  if (flag) setFlag(parse, flag, inline ?? bareValue(flag) ?? nextWord(parse, `--${name}`))
  else if (name === 'help') parse.help = true
  else throw new UsageError(`unknown flag: --${name}`)
}

/** `-it` is two switches, `-nfoo` one flag with its value: the first letter that takes a value takes the rest. */
function readShorthands(parse: Parse, word: string): void {
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at)
    const flag = parse.flags.find((candidate) => candidate.shorthand === letter)
    if (!flag) {
      if (letter !== 'h') throw new UsageError(`unknown shorthand flag: '${letter}' in ${word}`)
      parse.help = true
      continue
    }
    const tail = word.slice(at + 1)
    const bare = bareValue(flag)
    if (tail.startsWith('=')) return setFlag(parse, flag, tail.slice(1))
    if (bare === undefined) return setFlag(parse, flag, tail || nextWord(parse, `'${letter}' in ${word}`))
    setFlag(parse, flag, bare)
  }
}

function bareValue(flag: Flag): string | undefined {
  return flag.type === 'boolean' ? 'true' : flag.bareValue
}

function nextWord(parse: Parse, shown: string): string {
  const value = parse.rest.shift()
  if (value === undefined) throw new UsageError(`flag needs an argument: ${shown}`)
  return value
}

function setFlag(parse: Parse, flag: Flag, text: string): void {
  const value = parseFlagValue(flag, text)
  const earlier = parse.given.has(flag.name) ? parse.values[flag.name] : undefined
  parse.values[flag.name] = Array.isArray(value) && Array.isArray(earlier) ? [...earlier, ...value] : value
  parse.given.add(flag.name)
}
