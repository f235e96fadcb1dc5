import type { Container, Pod } from '#api/types/core.v1.ts'
import type { NodeSet, ResourceHints } from './hint.ts'

/** A container of a pod that is being admitted. What `init` ones get is free again for those that come after them. */
export interface AdmittedContainer {
  readonly pod: Pod
  readonly container: Container
  readonly kind: 'init' | 'lasting'
}

/** Who gives out one kind of resource of the node, as the topology manager sees them. */
export interface ResourceManager {
  /** Uids of the pods that have something. */
  readonly holders: Iterable<string>
  /** Forgets all pods that are not among those, and what the pod that is admitted next left of an earlier try. */
  begin(livePods: ReadonlySet<string>): void
  /** Where what a container asks for can be had. */
  containerHints(asked: AdmittedContainer): ResourceHints
  /** Where what all containers of a pod ask for can be had together. */
  podHints(pod: Pod): ResourceHints
  /** Gives a container what it asks for, from the nodes where it can be. Throws `AdmissionError`. */
  allocate(asked: AdmittedContainer, nodes: NodeSet | undefined): Promise<void>
  /** Resolves when what was given out would survive the end of this process. */
  saved(): Promise<void>
}

/** All containers in the order in which they start. */
export function containersInOrder(pod: Pod): readonly AdmittedContainer[] {
  const first = (pod.spec.initContainers ?? []).map((container): AdmittedContainer => {
    return { pod, container, kind: container.restartPolicy === 'Always' ? 'lasting' : 'init' }
  })
  return [...first, ...pod.spec.containers.map((container): AdmittedContainer => ({ pod, container, kind: 'lasting' }))]
}
