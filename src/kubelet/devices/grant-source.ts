import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerGrants } from './container-grants.ts'

/** Those who look after devices of the node, as pod workers see them. */
export interface GrantSource {
  /** Sets aside what the pod's containers ask for. Throws `DevicesUnavailable` when the node has not got it. */
  reserve(pod: Pod): Promise<void>
  /** What a container gets when it is made. */
  grant(pod: Pod, container: Container): Promise<ContainerGrants>
  /** Makes what the pod claims ready, before its sandbox. Throws with what an event tells; to be called again then. */
  prepare(pod: Pod): Promise<void>
}
