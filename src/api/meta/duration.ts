const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

function whole(durationMs: number, unit: number): number {
  return Math.floor(durationMs / unit)
}

/** `2m30s`, or `2m` where nothing remains. */
function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`
}

/** A duration as `kubectl get` shows ages: the further back, the coarser. Slightly negative ones are 0s (clock skew). */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / second)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = whole(durationMs, minute)
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = whole(durationMs, hour)
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = whole(durationMs, day)
  if (hours < 192) return pair(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = whole(durationMs, year)
  return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`
}

/** The age of something that happened at the given RFC 3339 time; `<unknown>` without one. */
export function ageOf(time: string | undefined, nowMs: number): string {
  const epochMs = time === undefined ? Number.NaN : Date.parse(time)
  return Number.isNaN(epochMs) ? '<unknown>' : humanDuration(nowMs - epochMs)
}
