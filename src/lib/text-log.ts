import type { Log, LogFields, LogLevel, LogOptions } from './log.ts'

const letters: Readonly<Record<LogLevel, string>> = { error: 'E', warn: 'W', info: 'I', debug: 'I' }
const order: readonly LogLevel[] = ['error', 'warn', 'info', 'debug']

/**
 * A log that writes lines as Kubernetes' own programs do, in the machine's time zone:
 * `I0131 12:00:00.000000    1234 kubelet] "message" key="value"`. The field `component` stands where they name a file.
 */
export function textLog(options: LogOptions & { readonly pid: number }): Log {
  const threshold = order.indexOf(options.level)
  const emit =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (order.indexOf(level) > threshold) return
      const { component = 'coracle', ...others } = { ...options.fields, ...fields }
      const head = `${letters[level]}${stamp(new Date(options.clock.now()))} ${String(options.pid).padStart(7)}`
      const pairs = Object.entries(others).map(([key, value]) => ` ${key}=${shown(value)}`)
      options.write(`${head} ${String(component)}] ${JSON.stringify(message)}${pairs.join('')}`)
    }
  return {
    error: emit('error'),
    warn: emit('warn'),
    info: emit('info'),
    debug: emit('debug'),
    with: (fields) => textLog({ ...options, fields: { ...options.fields, ...fields } }),
  }
}

function stamp(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${two(at.getMonth() + 1)}${two(at.getDate())} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}000`
}

function shown(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message)
  return JSON.stringify(value) ?? '<nil>'
}
