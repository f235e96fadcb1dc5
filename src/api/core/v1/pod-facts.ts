import type { Container, ContainerStatus, Pod, PodCondition, PodSpec } from '../../types/core.v1.ts'
import type { IntOrString } from '../../types/meta.v1.ts'

/** Succeeded or Failed: no container will ever run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Neither finished nor being deleted: counts towards its controller's replicas. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined
}

export function isPodTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type)
}

/** The `Ready` condition is true: the pod may receive traffic. */
export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True'
}

/** Ready for `minReadySeconds` without a break (API reference, DeploymentSpec). */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const ready = podCondition(pod, 'Ready')
  if (ready?.status !== 'True') return false
  if (minReadySeconds <= 0) return true
  if (ready.lastTransitionTime === undefined) return false
  return Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000 <= nowMs
}

/** The pod has been given a node. */
export function isPodBound(pod: Pod): boolean {
  return pod.spec.nodeName !== undefined && pod.spec.nodeName !== ''
}

/** An init container that keeps running beside the main ones (KEP-753). */
export function isSidecar(container: Pick<Container, 'restartPolicy'>): boolean {
  return container.restartPolicy === 'Always'
}

/** Init containers, then main containers, then ephemeral ones. */
export function allContainers(spec: PodSpec): readonly Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
}

/** The status of the container with that name, in whichever of the three lists it stands. */
export function containerStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { initContainerStatuses, containerStatuses, ephemeralContainerStatuses } = pod.status ?? {}
  for (const statuses of [containerStatuses, initContainerStatuses, ephemeralContainerStatuses]) {
    const status = statuses?.find((candidate) => candidate.name === name)
    if (status !== undefined) return status
  }
  return undefined
}

/**
 * The number a service's target port stands for in this pod: itself, or that of the container port with the name and
 * protocol. `undefined` when no main or sidecar container declares the name.
 */
export function resolvePodPort(pod: Pod, target: IntOrString, protocol: string = 'TCP'): number | undefined {
  if (typeof target === 'number') return target
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]
  for (const container of containers) {
    const port = container.ports?.find((port) => port.name === target && (port.protocol ?? 'TCP') === protocol)
    if (port !== undefined) return port.containerPort
  }
  return undefined
}

export interface HostPort {
  readonly hostIP: string
  readonly hostPort: number
  readonly protocol: string
}

/** The ports of the node that the pod occupies; `0.0.0.0` stands for every address. */
export function podHostPorts(pod: Pod): readonly HostPort[] {
  const ports: HostPort[] = []
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)]) {
    for (const { hostIP, hostPort, protocol } of container.ports ?? []) {
      if (hostPort === undefined || hostPort <= 0) continue
      ports.push({ hostIP: hostIP || '0.0.0.0', hostPort, protocol: protocol ?? 'TCP' })
    }
  }
  return ports
}

/** Whether two pods of one node cannot have both ports; `0.0.0.0` takes the port on every address. */
export function hostPortsCollide(a: HostPort, b: HostPort): boolean {
  const sameAddress = a.hostIP === b.hostIP || a.hostIP === '0.0.0.0' || b.hostIP === '0.0.0.0'
  return a.hostPort === b.hostPort && a.protocol === b.protocol && sameAddress
}

/** The pod's addresses, the primary one first. */
export function podIps(pod: Pod): readonly string[] {
  const ips = pod.status?.podIPs?.flatMap(({ ip }) => (ip ? [ip] : [])) ?? []
  if (ips.length > 0) return ips
  return pod.status?.podIP ? [pod.status.podIP] : []
}

/** Seconds between the request to stop and the kill: what the deletion says, else the pod, else 30. */
export function terminationGraceSeconds(pod: Pod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30
}

/** The API server's image of a pod that a kubelet runs from a file. */
export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
}

/** Priority of `system-cluster-critical`; pods at or above it are not evicted for resources. */
export const systemCriticalPriority = 2_000_000_000

export function isCriticalPod(pod: Pod): boolean {
  return isMirrorPod(pod) || (pod.spec.priority ?? 0) >= systemCriticalPriority
}

/** The host name inside the pod: `spec.hostname`, else the pod's name, cut to 63 characters. */
export function podHostname(pod: Pod): string {
  const name = pod.spec.hostname || pod.metadata.name
  return name.slice(0, 63).replace(/[-.]+$/, '')
}
