import { tolerates } from '#api/core/v1/node-facts.ts'
import type { Pod, Taint } from '#api/types/core.v1.ts'

/**
 * When the taints of its node drive the pod out, in milliseconds since the epoch; undefined: never. A taint that is
 * not tolerated does so at once, a toleration with `tolerationSeconds` so long after the taint came: after `sinceMs`, when
 * it was first met together with the pod, if it does not say when.
 */
export function evictionTimeMs(pod: Pod, taints: readonly Taint[], sinceMs: number): number | undefined {
  const times = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .map((taint) => toleratedUntilMs(pod, taint, sinceMs))
  const earliest = Math.min(...times)
  return earliest === Infinity ? undefined : earliest
}

function toleratedUntilMs(pod: Pod, taint: Taint, sinceMs: number): number {
  const tolerations = pod.spec.tolerations?.filter((toleration) => tolerates(toleration, taint)) ?? []
  if (tolerations.length === 0) return sinceMs
  const seconds = Math.min(...tolerations.map(({ tolerationSeconds }) => tolerationSeconds ?? Infinity))
  const since = taint.timeAdded === undefined ? sinceMs : Date.parse(taint.timeAdded)
  return seconds === Infinity ? Infinity : since + Math.max(0, seconds) * 1_000
}
