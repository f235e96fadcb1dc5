import { systemClock, type Clock } from '#lib/clock.ts'
import { jsonLog, type Log, type LogLevel } from '#lib/log.ts'
import { textLog } from '#lib/text-log.ts'
import type { LoggingConfiguration } from '#kubelet/configuration/kubelet-configuration.ts'
import { systemRandom, type Random } from '#lib/random.ts'

/** The doors through which time, chance and the log enter: given to every room, made once per process. */
export interface Effects {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** The machine's own: the log goes to standard error, one JSON object a line. */
export function processEffects(level: LogLevel = 'info'): Effects {
  return { clock: systemClock, random: systemRandom, log: jsonLog({ clock: systemClock, level, write }) }
}

/** The log of a node whose configuration says how it is to be written; otherwise that of the process. */
export function nodeLog({ log, clock }: Effects, { format = '', verbosity = 0 }: LoggingConfiguration): Log {
  const level = verbosity >= debugVerbosity ? 'debug' : 'info'
  if (format === '' && level === 'info') return log
  return format === 'text' ? textLog({ clock, level, write, pid: process.pid }) : jsonLog({ clock, level, write })
}

/** From here on Kubernetes tells what only developers want to know. */
const debugVerbosity = 4

function write(line: string): void {
  process.stderr.write(`${line}\n`)
}
