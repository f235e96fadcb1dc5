/** How long a container's restarts are held back. One entry per container name of a pod. */
export interface RestartBackoff {
  readonly delayMs: number
  /** When the last restart was let through. */
  readonly restartedAtMs: number
}

export interface RestartDelays {
  /** Of the first restart that is held back; each further one is twice as long. */
  readonly initialMs: number
  /** `crashLoopBackOff.maxContainerRestartPeriod` of the kubelet's configuration. */
  readonly maximumMs: number
}

export const defaultRestartDelays: RestartDelays = { initialMs: 10_000, maximumMs: 300_000 }
/** A container that ran this long starts over with the first delay (API reference, pod lifecycle). */
const forgottenAfterMs = 600_000

/** When a container that ended at `finishedAtMs` may start again, or `undefined` for "now". */
export function restartNotBefore(
  entry: RestartBackoff | undefined,
  { finishedAtMs, nowMs }: { finishedAtMs: number; nowMs: number },
  { maximumMs }: RestartDelays,
): number | undefined {
  if (entry === undefined || finishedAtMs - entry.restartedAtMs > forgottenAfterMs) return undefined
  const notBeforeMs = finishedAtMs + Math.min(entry.delayMs, maximumMs)
  return notBeforeMs > nowMs ? notBeforeMs : undefined
}

/** The entry after a restart that is let through now. */
export function nextBackoff(
  entry: RestartBackoff | undefined,
  { finishedAtMs, nowMs }: { finishedAtMs: number; nowMs: number },
  { initialMs, maximumMs }: RestartDelays,
): RestartBackoff {
  const isFresh = entry === undefined || finishedAtMs - entry.restartedAtMs > forgottenAfterMs
  const delayMs = Math.min(isFresh ? initialMs : entry.delayMs * 2, maximumMs)
  return { delayMs, restartedAtMs: nowMs }
}
