import type { Pod, PodSpec, SecurityContext } from '#api/types/core.v1.ts'

/** What every kind of container has in common. */
export type AnyContainer = NonNullable<PodSpec['ephemeralContainers']>[number] | PodSpec['containers'][number]

/** The parts of a pod that the standards look at: also those of a pod template. */
export interface PodParts {
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: PodSpec
}

/**
 * One rule of the Pod Security Standards: undefined when the pod obeys it. `minor` is the version of Kubernetes 1 whose
 * standard counts.
 */
export type PodCheck = (pod: PodParts, minor: number) => Violation | undefined

/** Shown as `reason (detail)`. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

/** Init containers, containers and ephemeral ones, in the order upstream visits them. */
export function containersOf(spec: PodSpec): readonly AnyContainer[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
}

/** Names of the containers whose security context is as described. */
export function containersWhere(
  pod: PodParts,
  isBad: (context: SecurityContext | undefined) => boolean,
): readonly string[] {
  return containersOf(pod.spec)
    .filter((container) => isBad(container.securityContext))
    .map((container) => container.name)
}

export function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ')
}

/** `container "a"`, `containers "a", "b"` */
export function describeContainers(names: readonly string[]): string {
  return `${names.length === 1 ? 'container' : 'containers'} ${quoted(names)}`
}

/** `pod`, `container "a"` or `pod and containers "a", "b"`. */
export function describeSetters(podToo: boolean, containers: readonly string[]): string {
  return [...(podToo ? ['pod'] : []), ...(containers.length > 0 ? [describeContainers(containers)] : [])].join(' and ')
}

export function isWindows({ spec }: PodParts): boolean {
  return spec.os?.name === 'windows'
}

/** With its own user namespace a pod's root is nobody on the node (KEP-127). */
export function hasUserNamespace({ spec }: PodParts): boolean {
  return spec.hostUsers === false
}

export function partsOf(pod: Pod): PodParts | undefined {
  return pod.spec === undefined ? undefined : { annotations: pod.metadata.annotations ?? {}, spec: pod.spec }
}
