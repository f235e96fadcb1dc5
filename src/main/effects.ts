import { systemClock, type Clock } from '#lib/clock.ts'
import { jsonLog, type Log, type LogLevel } from '#lib/log.ts'
import { systemRandom, type Random } from '#lib/random.ts'

/** The doors through which time, chance and the log enter: given to every room, made once per process. */
export interface Effects {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** The machine's own: the log goes to standard error, one JSON object a line. */
export function processEffects(level: LogLevel = 'info'): Effects {
  const write = (line: string): void => void process.stderr.write(`${line}\n`)
  return { clock: systemClock, random: systemRandom, log: jsonLog({ clock: systemClock, level, write }) }
}
