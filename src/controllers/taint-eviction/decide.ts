import { tolerates } from '#api/core/v1/node-facts.ts'
import type { Pod, Taint } from '#api/types/core.v1.ts'

/**
 * When the taints of its node drive the pod out, in milliseconds since the epoch; undefined: never. A taint that is
 * not tolerated does so at once, a toleration with `tolerationSeconds` so long after the taint came.
 */
export function evictionTimeMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  const times = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .map((taint) => toleratedUntilMs(pod, taint, nowMs))
  const earliest = Math.min(...times)
  return earliest === Infinity ? undefined : earliest
}

function toleratedUntilMs(pod: Pod, taint: Taint, nowMs: number): number {
  const tolerations = pod.spec.tolerations?.filter((toleration) => tolerates(toleration, taint)) ?? []
  if (tolerations.length === 0) return nowMs
  const seconds = Math.min(...tolerations.map(({ tolerationSeconds }) => tolerationSeconds ?? Infinity))
  const since = taint.timeAdded === undefined ? nowMs : Date.parse(taint.timeAdded)
  return seconds === Infinity ? Infinity : since + Math.max(0, seconds) * 1_000
}
