import type { Clock } from './clock.ts'

/** Structured log. Levels: `error` needs a person, `warn` may, `info` says what changed, `debug` is for developers. */
export interface Log {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  /** A log whose every line carries `fields` too; by convention `{ component: 'scheduler' }`. */
  with(fields: LogFields): Log
}

/** Values must be short and must never be secrets. An `Error` is written as its message and stack. */
export type LogFields = Readonly<Record<string, unknown>>

const levels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof levels)[number]

export interface LogOptions {
  readonly clock: Clock
  readonly level: LogLevel
  /** Receives one line without its newline. */
  readonly write: (line: string) => void
  readonly fields?: LogFields
}

/** A log that writes one JSON object a line: `{"time":…,"level":…,"message":…,…fields}`. */
export function jsonLog(options: LogOptions): Log {
  const threshold = levels.indexOf(options.level)
  const emit =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (levels.indexOf(level) > threshold) return
      const head = { time: new Date(options.clock.now()).toISOString(), level, message }
      options.write(JSON.stringify({ ...head, ...options.fields, ...fields }, writeErrors))
    }
  return {
    error: emit('error'),
    warn: emit('warn'),
    info: emit('info'),
    debug: emit('debug'),
    with: (fields) => jsonLog({ ...options, fields: { ...options.fields, ...fields } }),
  }
}

/** A log that drops everything: for tests. */
export const silentLog: Log = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  with: () => silentLog,
}

function writeErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value
}
