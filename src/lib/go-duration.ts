const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * Reads a duration as Go writes it (`300ms`, `1h30m`, `-1.5h`, `0`) and returns milliseconds; nothing when malformed.
 * Units below the millisecond are not accepted.
 */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0
  const [, sign, body = ''] = /^([+-]?)((?:\d+(?:\.\d*)?(?:ms|s|m|h)|\.\d+(?:ms|s|m|h))+)$/.exec(text) ?? []
  if (body === '') return undefined
  const terms = body.matchAll(/([\d.]+)(ms|s|m|h)/g)
  const totalMs = terms.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? Number.NaN), 0)
  return sign === '-' ? -totalMs : totalMs
}

/** Writes milliseconds as Go does: `0s`, `500ms`, `1m30s`, `24h0m0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`
  if (durationMs < 1_000) return `${durationMs}ms`
  const hours = Math.floor(durationMs / 3_600_000)
  const minutes = Math.floor(durationMs / 60_000) % 60
  const seconds = (durationMs % 60_000) / 1_000
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}
