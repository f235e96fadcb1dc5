/** The JSON text of a Timestamp message: RFC 3339 in UTC, with six digits of fraction for `MicroTime`. */
export function canonicalTime(message: Readonly<Record<string, unknown>>, form: 'time' | 'microTime'): string {
  const seconds = Number(message['seconds'] ?? 0)
  const nanos = Number(message['nanos'] ?? 0)
  const text = new Date(seconds * 1000).toISOString().slice(0, 19)
  return form === 'time' ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`
}

/** The parts of a Timestamp message. Throws `RangeError` for a text that is no time. */
export function timestampParts(text: string): { seconds: number; nanos: number } {
  const epochMs = Date.parse(text)
  if (Number.isNaN(epochMs)) throw new RangeError(`"${text}" is no RFC 3339 time`)
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? ''
  return { seconds: Math.floor(epochMs / 1000), nanos: Number(fraction.padEnd(9, '0')) }
}
