import { UsageError } from './command.ts'
import type { Flag, FlagType, FlagTypeValues, FlagValue } from './command.ts'
import { formatDuration, parseDuration } from '#lib/go-duration.ts'

interface FlagKind<T> {
  /** Nothing means that the text is not of this kind. */
  readonly parse: (text: string) => T | undefined
  /** What the parser is called in kubectl's messages. */
  readonly parser: string
  readonly format: (value: T) => string
}

const booleanWords = new Map<string, boolean>([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false] as const),
])

const kinds: { readonly [T in FlagType]: FlagKind<FlagTypeValues[T]> } = {
  string: { parse: (text) => text, parser: 'string', format: (value) => `'${value}'` },
  boolean: { parse: (text) => booleanWords.get(text), parser: 'strconv.ParseBool', format: String },
  integer: { parse: parseInteger, parser: 'strconv.ParseInt', format: String },
  duration: { parse: parseDuration, parser: 'time.ParseDuration', format: formatDuration },
  list: {
    parse: (text) => (text === '' ? [] : text.split(',')),
    parser: 'list',
    format: (value) => `[${value.join(',')}]`,
  },
}

function parseInteger(text: string): number | undefined {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : undefined
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined
}

/** Reads one flag's text. Throws a `UsageError` that names the flag, the text and the reason. */
export function parseFlagValue(flag: Flag, text: string): FlagValue {
  const kind = kinds[flag.type]
  const value = kind.parse(text)
  if (value !== undefined) return value
  const shown = flag.shorthand === undefined ? `--${flag.name}` : `-${flag.shorthand}, --${flag.name}`
  const quoted = JSON.stringify(text)
  const reason = flag.type === 'duration' ? durationReason(quoted) : `${kind.parser}: parsing ${quoted}: invalid syntax`
  throw new UsageError(`invalid argument ${quoted} for "${shown}" flag: ${reason}`)
}

function durationReason(quoted: string): string {
  return `time: invalid duration ${quoted}`
}

/** The value as `--help` shows it after the flag's name: strings quoted, lists in brackets. */
export function formatFlagValue(flag: Flag): string {
  return (kinds[flag.type] as FlagKind<FlagValue>).format(flag.default)
}
