/** How long a container's restarts are held back. One entry per container name of a pod. */
export interface RestartBackoff {
  readonly delayMs: number
  /** When the last restart was let through. */
  readonly restartedAtMs: number
}

const initialDelayMs = 10_000
const maximumDelayMs = 300_000
/** A container that ran this long starts over with the first delay (API reference, pod lifecycle). */
const forgottenAfterMs = 2 * maximumDelayMs

/** When a container that ended at `finishedAtMs` may start again, or `undefined` for "now". */
export function restartNotBefore(
  entry: RestartBackoff | undefined,
  { finishedAtMs, nowMs }: { finishedAtMs: number; nowMs: number },
): number | undefined {
  if (entry === undefined || finishedAtMs - entry.restartedAtMs > forgottenAfterMs) return undefined
  const notBeforeMs = finishedAtMs + entry.delayMs
  return notBeforeMs > nowMs ? notBeforeMs : undefined
}

/** The entry after a restart that is let through now. */
export function nextBackoff(
  entry: RestartBackoff | undefined,
  { finishedAtMs, nowMs }: { finishedAtMs: number; nowMs: number },
): RestartBackoff {
  const isFresh = entry === undefined || finishedAtMs - entry.restartedAtMs > forgottenAfterMs
  const delayMs = isFresh ? initialDelayMs : Math.min(entry.delayMs * 2, maximumDelayMs)
  return { delayMs, restartedAtMs: nowMs }
}

/** A duration as Kubernetes writes it in messages: `10s`, `1m20s`, `5m0s`, `1h0m0s`, `500ms`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return durationMs === 0 ? '0s' : `${Math.round(durationMs)}ms`
  const seconds = durationMs / 1000
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = Number((seconds % 60).toFixed(3))
  if (hours > 0) return `${hours}h${minutes}m${rest}s`
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`
}
