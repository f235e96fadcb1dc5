import { isPodReady, isPodTerminal, podIps } from '#api/core/v1/pod-facts.ts'
import { hasLabels } from '#api/meta/labels.ts'
import { keyOf } from '#api/meta/resource.ts'
import type { Pod, Service } from '#api/types/core.v1.ts'
import { services } from '#api/types/resources.ts'
import type { ControllerContext } from '#reconcile/controller.ts'

/** Whether endpoints of the service are made from pods by this cluster: it selects, and is no mere name. */
export function selectsPods({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0
}

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === 'None'
}

export function isSelected(service: Service, pod: Pod): boolean {
  return selectsPods(service) && hasLabels(pod.metadata.labels, service.spec?.selector ?? {})
}

/** A pod with an address that may still answer; terminating ones count only where told. */
export function canBeEndpoint(pod: Pod, options: { readonly includeTerminating: boolean }): boolean {
  if (isPodTerminal(pod) || podIps(pod).length === 0) return false
  return options.includeTerminating || pod.metadata.deletionTimestamp === undefined
}

/** Keys of the services that a pod's change concerns: those selecting it now or before, if their endpoints may differ. */
export function servicesOfPod(pod: Pod, { informers }: ControllerContext, previous?: Pod): readonly string[] {
  if (previous !== undefined && !hasEndpointChanged(pod, previous)) return []
  const keys: string[] = []
  for (const service of informers.of(services).list(pod.metadata.namespace)) {
    const concerns = isSelected(service, pod) || (previous !== undefined && isSelected(service, previous))
    if (concerns) keys.push(keyOf(service))
  }
  return keys
}

/** Whether anything that endpoints are made of differs. */
function hasEndpointChanged(pod: Pod, previous: Pod): boolean {
  return (
    pod.metadata.uid !== previous.metadata.uid ||
    pod.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp ||
    pod.spec.nodeName !== previous.spec.nodeName ||
    isPodReady(pod) !== isPodReady(previous) ||
    isPodTerminal(pod) !== isPodTerminal(previous) ||
    podIps(pod).join() !== podIps(previous).join() ||
    JSON.stringify(pod.metadata.labels) !== JSON.stringify(previous.metadata.labels)
  )
}
