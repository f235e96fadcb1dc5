import { isCriticalPod } from '#api/core/v1/pod-facts.ts'
import { computePodQosClass } from '#api/core/v1/pod-qos.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { PressureCondition } from './signals.ts'
import { signalFacts } from './signals.ts'
import type { EvictionThreshold } from './thresholds.ts'

/**
 * Which pressure the node reports: what is crossed now, and what was so a short while ago, because a node that swings
 * between the two would take pods in only to throw them out.
 */
export class PressureConditions {
  readonly #transitionMs: number
  readonly #lastMs = new Map<PressureCondition, number>()

  constructor(transitionMs: number) {
    this.#transitionMs = transitionMs
  }

  observe(crossed: readonly EvictionThreshold[], nowMs: number): ReadonlySet<PressureCondition> {
    for (const { signal } of crossed) this.#lastMs.set(signalFacts[signal].condition, nowMs)
    for (const [condition, lastMs] of this.#lastMs)
      if (nowMs - lastMs >= this.#transitionMs) this.#lastMs.delete(condition)
    return new Set(this.#lastMs.keys())
  }
}

/** Why a node under pressure does not take the pod, if so: memory turns best-effort pods away, the rest all of them. */
export function pressureRefusal(
  pod: Pod,
  conditions: ReadonlySet<PressureCondition>,
): { readonly reason: string; readonly message: string } | undefined {
  if (conditions.size === 0 || isCriticalPod(pod)) return undefined
  if (conditions.size === 1 && conditions.has('MemoryPressure') && mayRunWithoutMemory(pod)) return undefined
  return { reason: 'Evicted', message: `The node had condition: [${[...conditions].join(' ')}]. ` }
}

function mayRunWithoutMemory(pod: Pod): boolean {
  if (computePodQosClass(pod.spec) !== 'BestEffort') return true
  return (pod.spec.tolerations ?? []).some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (effect === undefined || effect === 'NoSchedule') &&
      ((key === undefined && operator === 'Exists') ||
        (key === 'node.kubernetes.io/memory-pressure' && (operator === 'Exists' || value === ''))),
  )
}
