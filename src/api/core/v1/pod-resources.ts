import type { Container, Pod, PodSpec, ResourceRequirements } from '../../types/core.v1.ts'
import { containerStatus, isSidecar, podCondition } from './pod-facts.ts'
import { addAmounts, maxAmounts, resourceAmounts, type ResourceAmounts } from './resource-amounts.ts'

export interface PodResourceOptions {
  /**
   * Count what containers hold, not only what they ask for: while a resize is under way the larger of desired,
   * allocated and actual requests (KEP-1287). The scheduler and the kubelet's admission want this.
   */
  readonly withStatus?: boolean
  /** Leave out `spec.overhead`. */
  readonly withoutOverhead?: boolean
}

/**
 * What the pod asks of a node: the sum of its main containers and sidecars, or the largest init container step if that
 * is more (KEP-753), replaced per resource by pod-level requests (KEP-2837), plus the overhead of its runtime class.
 */
export function podRequests(pod: Pod, options: PodResourceOptions = {}): ResourceAmounts {
  const own = options.withStatus === true ? (container: Container) => heldRequests(pod, container) : specRequests
  const total = withPodLevel(foldContainers(pod.spec, own), pod.spec.resources?.requests)
  if (options.withoutOverhead === true || pod.spec.overhead === undefined) return total
  return addAmounts(total, resourceAmounts(pod.spec.overhead))
}

/** The limits of the pod by the same rule; overhead counts only where a limit is set. A container without one adds 0. */
export function podLimits(pod: Pod, options: Pick<PodResourceOptions, 'withoutOverhead'> = {}): ResourceAmounts {
  const fromContainers = foldContainers(pod.spec, (container) => resourceAmounts(container.resources?.limits))
  const total = withPodLevel(fromContainers, pod.spec.resources?.limits)
  if (options.withoutOverhead === true || pod.spec.overhead === undefined) return total
  const overhead = Object.entries(resourceAmounts(pod.spec.overhead)).filter(([name]) => (total[name] ?? 0) !== 0)
  return addAmounts(total, Object.fromEntries(overhead))
}

/** Resources that may be set for the pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')
}

function specRequests(container: Container): ResourceAmounts {
  return resourceAmounts(container.resources?.requests)
}

function heldRequests(pod: Pod, container: Container): ResourceAmounts {
  const wanted = specRequests(container)
  const status = containerStatus(pod, container.name)
  if (status?.resources === undefined && status?.allocatedResources === undefined) return wanted
  const held = maxAmounts(resourceAmounts(status.resources?.requests), resourceAmounts(status.allocatedResources))
  return podCondition(pod, 'PodResizePending')?.reason === 'Infeasible' ? held : maxAmounts(wanted, held)
}

/**
 * Sidecars run from their start on beside everything later. For init containers a, S (sidecar), b and main containers
 * m, n the steps hold: a; S; S+b; S+m+n. The answer is the largest step.
 */
function foldContainers(spec: PodSpec, own: (container: Container) => ResourceAmounts): ResourceAmounts {
  let running: ResourceAmounts = {}
  for (const container of spec.containers ?? []) running = addAmounts(running, own(container))
  let sidecars: ResourceAmounts = {}
  let largestStep: ResourceAmounts = {}
  for (const container of spec.initContainers ?? []) {
    const amounts = own(container)
    const step = addAmounts(sidecars, amounts)
    if (isSidecar(container)) {
      running = addAmounts(running, amounts)
      sidecars = step
    }
    largestStep = maxAmounts(largestStep, step)
  }
  return maxAmounts(running, largestStep)
}

function withPodLevel(total: ResourceAmounts, podLevel: ResourceRequirements['requests']): ResourceAmounts {
  if (podLevel === undefined) return total
  const set = Object.entries(resourceAmounts(podLevel)).filter(([name]) => isPodLevelResource(name))
  return { ...total, ...Object.fromEntries(set) }
}
