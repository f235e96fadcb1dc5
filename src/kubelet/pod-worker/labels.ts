import type { Container, Pod } from '#api/types/core.v1.ts'
import { containerHash, hashAnnotation } from './container-hash.ts'

/** Labels and annotations by which sandboxes and containers are found again; the same words that upstream uses. */
const podNameLabel = 'io.kubernetes.pod.name'
const podNamespaceLabel = 'io.kubernetes.pod.namespace'
export const podUidLabel = 'io.kubernetes.pod.uid'
export const containerNameLabel = 'io.kubernetes.container.name'
/** How often the whole pod had been started over when the container was made. */
export const restartCountAnnotation = 'io.kubernetes.pod.restartCount'
export const graceAnnotation = 'io.kubernetes.pod.terminationGracePeriod'
export const terminationPathAnnotation = 'io.kubernetes.container.terminationMessagePath'
export const terminationPolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy'

export function sandboxLabels({ metadata }: Pod): Readonly<Record<string, string>> {
  return {
    ...metadata.labels,
    [podNameLabel]: metadata.name,
    [podNamespaceLabel]: metadata.namespace ?? '',
    [podUidLabel]: metadata.uid,
  }
}

export function containerLabels({ metadata }: Pod, container: Container): Readonly<Record<string, string>> {
  return {
    [podNameLabel]: metadata.name,
    [podNamespaceLabel]: metadata.namespace ?? '',
    [podUidLabel]: metadata.uid,
    [containerNameLabel]: container.name,
  }
}

export function containerAnnotations(
  pod: Pod,
  container: Container,
  { attempt, podRestart }: { readonly attempt: number; readonly podRestart: number },
): Readonly<Record<string, string>> {
  return {
    [hashAnnotation]: containerHash(container),
    'io.kubernetes.container.restartCount': String(attempt),
    [terminationPathAnnotation]: container.terminationMessagePath ?? '/dev/termination-log',
    [terminationPolicyAnnotation]: container.terminationMessagePolicy ?? 'File',
    ...(podRestart > 0 && { [restartCountAnnotation]: String(podRestart) }),
    [graceAnnotation]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
  }
}
