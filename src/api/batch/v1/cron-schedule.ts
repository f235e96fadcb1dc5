/** What is wrong with a schedule in cron form, or undefined: five fields, or a macro such as `@daily`. */
export function checkCronSchedule(schedule: string): string | undefined {
  const text = schedule.trim()
  if (text.startsWith('@')) return checkMacro(text)
  const parts = text.split(/\s+/)
  if (parts.length !== fields.length) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [index, field] of fields.entries()) {
    const wrong = checkField(parts[index] ?? '', field)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

interface CronField {
  readonly low: number
  readonly high: number
  readonly names: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields: readonly CronField[] = [
  { low: 0, high: 59, names: [] },
  { low: 0, high: 23, names: [] },
  { low: 1, high: 31, names: [] },
  { low: 1, high: 12, names: months },
  { low: 0, high: 6, names: days },
]

const macros = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])

function checkMacro(text: string): string | undefined {
  if (macros.has(text)) return undefined
  const every = /^@every (.*)$/.exec(text)?.[1]
  if (every === undefined) return `unrecognized descriptor: ${text}`
  return /^(\d+(\.\d+)?(h|m|s|ms))+$/.test(every) ? undefined : `failed to parse duration ${text}`
}

function checkField(text: string, field: CronField): string | undefined {
  for (const item of text.split(',')) {
    const wrong = checkItem(item, field)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** `*`, `5`, `1-5`, each with an optional `/step`. */
function checkItem(item: string, field: CronField): string | undefined {
  const [range = '', step, ...more] = item.split('/')
  if (more.length > 0) return `too many slashes: ${item}`
  const [first = '', last, ...others] = range.split('-')
  if (others.length > 0) return `too many hyphens: ${item}`
  if (step !== undefined && !/^\d+$/.test(step))
    return `failed to parse int from ${step}: strconv.Atoi: parsing "${step}": invalid syntax`
  if (step !== undefined && Number(step) === 0) return `step of range should be a positive number: ${item}`
  if (range === '*' || range === '?') return undefined
  return checkBounds(first, last, item, field)
}

function checkBounds(first: string, last: string | undefined, item: string, field: CronField): string | undefined {
  const start = valueOf(first, field)
  const end = last === undefined ? start : valueOf(last, field)
  for (const [text, value] of [
    [first, start],
    [last ?? first, end],
  ] as const) {
    if (Number.isNaN(value)) return `failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`
  }
  if (start < field.low) return `beginning of range (${start}) below minimum (${field.low}): ${item}`
  if (end > field.high) return `end of range (${end}) above maximum (${field.high}): ${item}`
  return start > end ? `beginning of range (${start}) beyond end of range (${end}): ${item}` : undefined
}

function valueOf(text: string, { low, names }: CronField): number {
  const name = names.indexOf(text.toLowerCase())
  if (name >= 0) return name + low
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}
