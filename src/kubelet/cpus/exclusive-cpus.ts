import { computePodQosClass } from '#api/core/v1/pod-qos.ts'
import { resourceAmount } from '#api/core/v1/resource-amounts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'

/** How many processors the static policy gives the container alone: none but for whole ones in guaranteed pods. */
export function exclusiveCpus({ spec }: Pod, { resources }: Container): number {
  const request = resources?.requests?.['cpu'] ?? resources?.limits?.['cpu']
  if (request === undefined || spec.resources !== undefined || computePodQosClass(spec) !== 'Guaranteed') return 0
  const milliCpu = resourceAmount('cpu', request)
  return milliCpu % 1000 === 0 ? milliCpu / 1000 : 0
}

/** What a pod needs at once: init containers run one by one before the others, beside the sidecars that have started. */
export function podExclusiveCpus(pod: Pod): number {
  let sidecars = 0
  let peak = 0
  for (const container of pod.spec.initContainers ?? []) {
    const cpus = exclusiveCpus(pod, container)
    if (container.restartPolicy === 'Always') sidecars += cpus
    else peak = Math.max(peak, sidecars + cpus)
  }
  const lasting = pod.spec.containers.reduce((sum, container) => sum + exclusiveCpus(pod, container), 0)
  return Math.max(peak, sidecars + lasting)
}

/** Whether any container of the pod has processors of its own under the static policy. */
export function hasExclusiveCpus(pod: Pod): boolean {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].some((each) => exclusiveCpus(pod, each) > 0)
}
