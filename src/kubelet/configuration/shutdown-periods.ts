import type { KubeletConfiguration } from './kubelet-configuration.ts'

/** How long pods of a priority, up to the next higher period's, get to end when the node goes down (KEP-2712). */
export interface ShutdownPeriod {
  readonly priority: number
  readonly seconds: number
}

/** Of the pods that the system itself needs. */
const criticalPriority = 2_000_000_000

/**
 * The periods by priority, the lowest first. `shutdownGracePeriod` and `…CriticalPods` are two of them: the rest of the
 * time for ordinary pods, and then that of critical ones.
 */
export function shutdownPeriods(given: KubeletConfiguration): readonly ShutdownPeriod[] {
  const byPriority = given.shutdownGracePeriodByPodPriority ?? []
  if (byPriority.length > 0) {
    return byPriority
      .map(({ priority = 0, shutdownGracePeriodSeconds = 0 }) => ({ priority, seconds: shutdownGracePeriodSeconds }))
      .sort((a, b) => a.priority - b.priority)
  }
  const { shutdownGracePeriod: totalMs = 0, shutdownGracePeriodCriticalPods: criticalMs = 0 } = given
  if (totalMs === 0) return []
  return [
    { priority: 0, seconds: (totalMs - criticalMs) / 1000 },
    { priority: criticalPriority, seconds: criticalMs / 1000 },
  ]
}
