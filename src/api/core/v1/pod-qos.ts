import type { PodSpec, ResourceRequirements } from '../../types/core.v1.ts'
import type { Quantity } from '../../types/meta.v1.ts'
import { resourceAmount } from './resource-amounts.ts'

export type PodQosClass = 'BestEffort' | 'Burstable' | 'Guaranteed'

/**
 * Guaranteed: every container limits cpu and memory and requests just that. BestEffort: none asks for either.
 * Burstable: the rest. Pod-level resources, where set, decide alone (KEP-2837).
 */
export function computePodQosClass(spec: PodSpec): PodQosClass {
  const parts = spec.resources
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((container) => container.resources ?? {})
  const positive = parts.map(({ requests, limits }) => ({ requests: qosPart(requests), limits: qosPart(limits) }))
  if (positive.every(({ requests, limits }) => requests.size === 0 && limits.size === 0)) return 'BestEffort'
  return positive.every(isGuaranteedPart) ? 'Guaranteed' : 'Burstable'
}

interface QosPart {
  readonly requests: ReadonlyMap<string, number>
  readonly limits: ReadonlyMap<string, number>
}

function isGuaranteedPart({ requests, limits }: QosPart): boolean {
  if (limits.size !== qosResources.length || requests.size !== limits.size) return false
  return qosResources.every((name) => requests.get(name) === limits.get(name))
}

const qosResources = ['cpu', 'memory'] as const

/** Quantities of zero count as not set. */
function qosPart(list: ResourceRequirements['requests'] | undefined): ReadonlyMap<string, number> {
  const set = new Map<string, number>()
  for (const name of qosResources) {
    const quantity: Quantity | undefined = list?.[name]
    const amount = quantity === undefined ? 0 : resourceAmount(name, quantity)
    if (amount > 0) set.set(name, amount)
  }
  return set
}
