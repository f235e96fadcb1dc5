import { CelError } from './cel-error.ts'
import type { CelFunction, CelFunctions } from './cel-function.ts'
import { CelDuration, CelTimestamp, floorDivide } from './values.ts'

/** The instant in a time zone: an IANA name or an offset; UTC by default. */
function zoned(time: CelTimestamp, zone: unknown): Date {
  const timeMs = Number(floorDivide(time.nanos, 1_000_000n))
  if (zone === undefined || zone === 'UTC' || zone === 'Z') return new Date(timeMs)
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(String(zone as string))
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3])
    return new Date(timeMs + (offset[1] === '-' ? -minutes : minutes) * 60_000)
  }
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: String(zone as string),
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    const parts = Object.fromEntries(format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return new Date(Date.UTC(year, month - 1, day, hour, minute, second, timeMs % 1_000))
  } catch {
    throw new CelError(`unknown time zone ${String(zone as string)}`)
  }
}

function part(ofTime: (date: Date) => number, ofDuration?: (nanos: bigint) => bigint): CelFunction {
  return ([value, zone]) => {
    if (value instanceof CelTimestamp) return BigInt(ofTime(zoned(value, zone)))
    if (value instanceof CelDuration && ofDuration) return ofDuration(value.nanos)
    throw new CelError('no such overload')
  }
}

const dayMs = 86_400_000

/** Parts of times and durations. */
export const timeFunctions: CelFunctions = {
  getFullYear: part((date) => date.getUTCFullYear()),
  getMonth: part((date) => date.getUTCMonth()),
  getDate: part((date) => date.getUTCDate()),
  getDayOfMonth: part((date) => date.getUTCDate() - 1),
  getDayOfWeek: part((date) => date.getUTCDay()),
  getDayOfYear: part((date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs)),
  getHours: part(
    (date) => date.getUTCHours(),
    (nanos) => nanos / 3_600_000_000_000n,
  ),
  getMinutes: part(
    (date) => date.getUTCMinutes(),
    (nanos) => nanos / 60_000_000_000n,
  ),
  getSeconds: part(
    (date) => date.getUTCSeconds(),
    (nanos) => nanos / 1_000_000_000n,
  ),
  getMilliseconds: part(
    (date) => date.getUTCMilliseconds(),
    (nanos) => (nanos / 1_000_000n) % 1_000n,
  ),
}
