import { isCriticalPod } from '#api/core/v1/pod-facts.ts'
import { computePodQosClass } from '#api/core/v1/pod-qos.ts'
import { resourceAmount } from '#api/core/v1/resource-amounts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'

/** The node's swap and who may use it. */
export interface NodeSwap {
  /** Burstable pods have a part of it; else nobody swaps. */
  readonly isShared: boolean
  readonly capacityBytes: number
}

/**
 * How much a container may swap: of the node's swap as much as its request is of the node's memory. Who asks for no
 * memory, or for all that he may take, does not swap, and neither do pods of other classes and critical ones (KEP-2400).
 */
export function containerSwapBytes(
  pod: Pod,
  { resources }: Container,
  { isShared, capacityBytes }: NodeSwap,
  memoryCapacityBytes: number,
): number {
  if (!isShared || isCriticalPod(pod) || computePodQosClass(pod.spec) !== 'Burstable') return 0
  const amountOf = (list: 'requests' | 'limits'): number =>
    resourceAmount('memory', resources?.[list]?.['memory'] ?? '0')
  const request = amountOf('requests')
  if (request === 0 || request === amountOf('limits')) return 0
  return Math.floor((request / Math.max(memoryCapacityBytes, 1)) * capacityBytes)
}
