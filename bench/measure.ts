import { readFileSync } from 'node:fs'

/** Prints one figure as a JSON line. */
export function report(what: string, figures: Readonly<Record<string, number | string | undefined>>): void {
  const rounded = Object.entries(figures).map(([key, value]) => [key, typeof value === 'number' ? round(value) : value])
  process.stdout.write(`${JSON.stringify({ what, ...(Object.fromEntries(rounded) as object) })}\n`)
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** What a benchmark has started, ended in reverse order when it ends, also by SIGINT or SIGTERM. */
export function startedThings(): AsyncDisposableStack {
  const things = new AsyncDisposableStack()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void things.disposeAsync().finally(() => process.exit(1)))
  }
  return things
}

/** Resident memory of a process now. */
export function residentBytes(pid: number): number {
  return memoryIn(pid, 'VmRSS')
}

/** The part of it that is no file: Node's own program is shared by all who run it. */
export function anonymousBytes(pid: number): number {
  return memoryIn(pid, 'RssAnon')
}

function memoryIn(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
}

/** Processor time a process has used so far, in seconds (100 clock ticks a second, as Linux reports them). */
export function cpuSeconds(pid: number): number {
  return secondsIn(`/proc/${pid}/stat`)
}

/** The same of its first thread alone: JavaScript runs on that one, beside the collector and the database. */
export function mainThreadSeconds(pid: number): number {
  return secondsIn(`/proc/${pid}/task/${pid}/stat`)
}

function secondsIn(file: string): number {
  const stat = readFileSync(file, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
