import type { Container, Pod, ResourceRequirements, ResourceStatus } from '#api/types/core.v1.ts'
import type { PodView } from '../pod-worker/pod-view.ts'
import type { ProbeResults } from '../probes/probe-results.ts'

/** Why a container does not run, as its `state.waiting` tells. */
export interface WaitingReason {
  readonly reason: string
  readonly message: string
}

/** How the kubelet itself has ended a pod. */
export interface PodFailure {
  readonly reason: string
  readonly message: string
  /** For the node's sake, not for anything the pod did: whoever owns it may want to try again (KEP-3329). */
  readonly isDisruption?: boolean
}

/** A resize that waits or goes wrong (KEP-1287). */
export interface ResizeCondition {
  readonly type: 'PodResizePending' | 'PodResizeInProgress'
  readonly reason: string
  readonly message: string
}

/** What a pod's status is computed from. */
export interface PodStatusInput {
  /** The newest pod of the API; its status supplies transition times and what others have written. */
  readonly pod: Pod
  readonly view: PodView
  readonly probes: ProbeResults
  /** By container name: an error of the last attempt to start it, or a delay. */
  readonly waiting: ReadonlyMap<string, WaitingReason>
  /** By container id: what the container left as its last words. */
  readonly terminationMessages: ReadonlyMap<string, string>
  /** The kubelet itself has ended the pod: refused, over its deadline, evicted. */
  readonly failure?: PodFailure
  /** No container of the pod will be started again, whatever its policy says. */
  readonly isEnding: boolean
  /** Nothing of it runs any more, nor is about to: what never ran never will. */
  readonly hasStopped: boolean
  /** By container name: the resources that what runs was given. */
  readonly given: ReadonlyMap<string, ResourceRequirements>
  /** The resources that the pod as a whole was given, where it asks for some. */
  readonly givenToPod?: ResourceRequirements
  /** A resize that is not done. */
  readonly resize?: ResizeCondition
  /** How the devices are that a container has; absent on nodes that give none. */
  readonly deviceHealth?: ((container: Container) => readonly ResourceStatus[]) | undefined
  readonly runtimeName: string
  /** Whether the pod's runtime handler can mount read-only all the way down. */
  readonly canMountRecursively: boolean
  /** The node's addresses, the first one primary. */
  readonly hostIps: readonly string[]
  /** When the kubelet saw the pod first. */
  readonly startedAtMs: number
  readonly nowMs: number
}
