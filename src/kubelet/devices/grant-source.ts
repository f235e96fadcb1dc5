import type { Container, Pod, ResourceStatus } from '#api/types/core.v1.ts'
import type { ContainerGrants } from './container-grants.ts'

/** Those who give out devices, processors and memory of the node, as pod workers see them. */
export interface GrantSource {
  /** Sets aside what the pod's containers ask for. Throws `AdmissionError` when the node has not got it. */
  reserve(pod: Pod): Promise<void>
  /** What a container gets when it is made. */
  grant(pod: Pod, container: Container): Promise<ContainerGrants>
  /** Makes what the pod claims ready, before its sandbox. Throws with what an event tells; to be called again then. */
  prepare(pod: Pod): Promise<void>
  /** How the devices are that a container has (KEP-4680). */
  health(pod: Pod, container: Container): readonly ResourceStatus[]
  /** Why the pod's containers cannot have other amounts while they run; undefined: nothing speaks against it. */
  resizeRefusal(pod: Pod): string | undefined
}
