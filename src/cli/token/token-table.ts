import type { BootstrapTokenFacts } from '#api/core/v1/bootstrap-token.ts'
import { formatTime } from '#lib/clock.ts'

const columns = ['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS']

/** The tokens as `coracle token list` prints them; their secret halves are not shown. */
export function tokenTable(tokens: readonly BootstrapTokenFacts[], nowMs: number): string {
  const rows = [columns, ...tokens.map((token) => row(token, nowMs))]
  const widths = columns.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('   ')
      .trimEnd()
  return rows.map((cells) => `${line(cells)}\n`).join('')
}

function row({ id, expiresAtMs, usages, description, extraGroups }: BootstrapTokenFacts, nowMs: number): string[] {
  const expires = expiresAtMs === undefined ? '<never>' : formatTime(expiresAtMs)
  const cells = [id, timeToLive(expiresAtMs, nowMs), expires, usages.join(','), description, extraGroups.join(',')]
  return cells.map((cell) => (cell === '' ? '<none>' : cell))
}

function timeToLive(expiresAtMs: number | undefined, nowMs: number): string {
  if (expiresAtMs === undefined) return '<forever>'
  const seconds = Math.floor((expiresAtMs - nowMs) / 1_000)
  if (seconds <= 0) return '<expired>'
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  return hours < 72 ? `${hours}h` : `${Math.floor(hours / 24)}d`
}
