import type { Container } from '#api/types/core.v1.ts'

export type ProbeType = 'startup' | 'liveness' | 'readiness'

/** What the probes of a pod's running containers have found so far. */
export interface ProbeResults {
  /** The threshold of failures is reached. Never for a container without that probe. */
  hasFailed(type: ProbeType, containerId: string): boolean
  /** The startup probe has succeeded once, or the container has none. */
  isStarted(container: Container, containerId: string): boolean
  /** The readiness probe succeeds, or there is none and the container is started. */
  isReady(container: Container, containerId: string): boolean
}
