/** When something is to happen: at the wall-clock minutes of a time zone whose fields all match, or at even distances. */
export type Cron = CronFields | { readonly everyMs: number }

interface CronFields {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>
  /** Of two restricted day fields either is enough; one that is `*` leaves the other the word. */
  readonly anyDayField: boolean
}

const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** Reads a schedule that validation has accepted. */
export function parseCron(schedule: string): Cron {
  const text = schedule.trim()
  const every = /^@every (.*)$/.exec(text)?.[1]
  if (every !== undefined) return { everyMs: Math.max(1_000, wholeSeconds(durationMs(every))) }
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = (macros[text] ?? text).split(/\s+/)
  return {
    minutes: parseField(minutes, 0, 59),
    hours: parseField(hours, 0, 23),
    days: parseField(days, 1, 31),
    months: parseField(months, 1, 12, monthNames),
    weekdays: parseField(weekdays, 0, 6, dayNames),
    anyDayField: !isStar(days) && !isStar(weekdays),
  }
}

function durationMs(text: string): number {
  let sum = 0
  for (const [, amount, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    sum += Number(amount) * (unitsMs[unit] ?? 0)
  }
  return sum
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000
}

/** A star with a step above 1 restricts its field like any list. */
function isStar(field: string): boolean {
  return field.split(',').some((item) => /^[*?](\/0*1)?$/.test(item))
}

function parseField(text: string, low: number, high: number, names: readonly string[] = []): ReadonlySet<number> {
  const valueOf = (word: string): number => {
    const name = names.indexOf(word.toLowerCase())
    return name >= 0 ? name + low : Number(word)
  }
  const values = new Set<number>()
  for (const item of text.split(',')) {
    const [range = '', step] = item.split('/')
    const [first = '', last] = range.split('-')
    const isAll = first === '*' || first === '?'
    const from = isAll ? low : valueOf(first)
    // `5/15` runs to the end of the field.
    const open = isAll || (last === undefined && step !== undefined)
    const to = open ? high : valueOf(last ?? first)
    for (let value = from; value <= to; value += Number(step ?? 1)) values.add(value)
  }
  return values
}

/** Beyond this no match is looked for: 30 February never comes. */
const horizonYears = 5

/**
 * The first time after `afterMs`, or undefined if none comes. Wall-clock times that a change of summer time skips do not
 * happen, and those it repeats happen twice.
 */
export function nextTime(cron: Cron, afterMs: number, timeZone: string): number | undefined {
  if ('everyMs' in cron) return wholeSeconds(afterMs) + cron.everyMs
  const minuteMs = Math.floor(afterMs / 60_000) * 60_000 + 60_000
  let time = Temporal.Instant.fromEpochMilliseconds(minuteMs).toZonedDateTimeISO(timeZone)
  const lastYear = time.year + horizonYears
  while (time.year <= lastYear) {
    if (!cron.months.has(time.month)) {
      time = time.with({ day: 1 }).add({ months: 1 }).startOfDay()
    } else if (!matchesDay(cron, time)) {
      time = time.add({ days: 1 }).startOfDay()
    } else if (!cron.hours.has(time.hour)) {
      time = time.add({ minutes: 60 - time.minute })
    } else if (!cron.minutes.has(time.minute)) {
      time = time.add({ minutes: minutesToNext(cron.minutes, time.minute) })
    } else {
      return time.epochMilliseconds
    }
  }
  return undefined
}

function matchesDay({ days, weekdays, anyDayField }: CronFields, { day, dayOfWeek }: Temporal.ZonedDateTime): boolean {
  const isDay = days.has(day)
  const isWeekday = weekdays.has(dayOfWeek % 7)
  return anyDayField ? isDay || isWeekday : isDay && isWeekday
}

/** To the next wanted minute of the hour, or to the end of the hour. */
function minutesToNext(wanted: ReadonlySet<number>, minute: number): number {
  for (let next = minute + 1; next < 60; next++) if (wanted.has(next)) return next - minute
  return 60 - minute
}

/** The last time in (`fromMs`, `toMs`], or undefined if there is none. */
export function lastTime(cron: Cron, fromMs: number, toMs: number, timeZone: string): number | undefined {
  if ('everyMs' in cron) {
    const times = Math.floor((toMs - wholeSeconds(fromMs)) / cron.everyMs)
    return times < 1 ? undefined : wholeSeconds(fromMs) + times * cron.everyMs
  }
  // Looks back further and further, so that a long absence does not cost a step for every minute of it.
  for (let windowMs = 120_000; ; windowMs *= 2) {
    const startMs = Math.max(fromMs, toMs - windowMs)
    let last: number | undefined
    for (let next = nextTime(cron, startMs, timeZone); next !== undefined && next <= toMs;) {
      last = next
      next = nextTime(cron, next, timeZone)
    }
    if (last !== undefined || startMs === fromMs) return last
  }
}
