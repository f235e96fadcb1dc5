/** RFC 3339 times as the API reads and writes them: `metav1.Time` with seconds, `metav1.MicroTime` with microseconds. */

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:\d\d)$/
const secondsLayout = '2006-01-02T15:04:05Z07:00'
const microLayout = '2006-01-02T15:04:05.000000Z07:00'

/** The text is no time. The message is the one the API server answers with. */
class TimeError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TimeError'
  }
}

/** Milliseconds since the epoch of any RFC 3339 text; undefined if it is none. */
export function parseTime(text: string): number | undefined {
  if (!rfc3339.test(text)) return undefined
  const epochMs = Date.parse(text.toUpperCase().replace(',', '.'))
  return Number.isNaN(epochMs) || !isRealDay(text) ? undefined : epochMs
}

/** `Date` turns February 30th into March; Kubernetes refuses it. */
function isRealDay(text: string): boolean {
  const month = Number(text.slice(5, 7))
  const day = Number(text.slice(8, 10))
  return day <= new Date(Date.UTC(Number(text.slice(0, 4)), month, 0)).getUTCDate()
}

/** The text in UTC with seconds, cutting fractions; the same string if it is that already. Throws `TimeError`. */
export function canonicalTime(text: string): string {
  const epochMs = parseTime(text)
  if (epochMs === undefined) throw timeError(text, secondsLayout)
  if (text.length === 20 && text.endsWith('Z') && text[10] === 'T') return text
  return `${new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, 19)}Z`
}

/** The text in UTC with six fractional digits; exactly six must be given. Throws `TimeError`. */
export function canonicalMicroTime(text: string): string {
  const fraction = rfc3339.exec(text)?.[7]
  const epochMs = parseTime(text)
  if (epochMs === undefined || fraction?.length !== 6) throw timeError(text, microLayout)
  if (text.length === 27 && text.endsWith('Z') && text[10] === 'T') return text
  return `${new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, 19)}.${fraction}Z`
}

function timeError(text: string, layout: string): TimeError {
  return new TimeError(
    `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(text)} as "2006"`,
  )
}
