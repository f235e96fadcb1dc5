import { invalidSinceLabel, labelledDayMs, lastUsedLabel } from '#api/core/v1/legacy-token.ts'
import type { Secret } from '#api/types/core.v1.ts'

const wholeDayMs = 86_400_000

export interface TokenAge {
  /** How long a token may lie unused before it becomes invalid, and then before it goes. */
  readonly keepMs: number
  /** When uses began to be written down. */
  readonly trackedSinceMs: number
  readonly nowMs: number
}

/** What becomes of a token that was made by the cluster itself, or how long it stays as it is. */
export type TokenFate = 'invalidate' | 'delete' | { readonly waitMs: number }

/** A token is invalid after a year without use, and goes after another. A use in between starts both years anew. */
export function fateOfToken(secret: Secret, { keepMs, trackedSinceMs, nowMs }: TokenAge): TokenFate {
  const usedMs = labelledDayMs(secret, lastUsedLabel)
  const invalidMs = labelledDayMs(secret, invalidSinceLabel)
  // The day of the use counts whole.
  const restsSinceMs = usedMs === undefined ? trackedSinceMs : usedMs + wholeDayMs
  const sinceMs = Math.max(Date.parse(secret.metadata.creationTimestamp), restsSinceMs, invalidMs ?? 0)
  const waitMs = sinceMs + keepMs - nowMs
  if (waitMs > 0) return { waitMs }
  return invalidMs === undefined ? 'invalidate' : 'delete'
}
