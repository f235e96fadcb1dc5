import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { SandboxStatus } from '../cri/sandbox.ts'
import type { ProbeResults } from '../probes/probe-results.ts'
import type { PodView } from './pod-view.ts'
import type { RestartBackoff, RestartDelays } from './restart-backoff.ts'

/** Everything the decision about one pod depends on. */
export interface PodSituation {
  readonly pod: Pod
  readonly view: PodView
  readonly probes: ProbeResults
  /** By container name. */
  readonly backoffs: ReadonlyMap<string, RestartBackoff>
  /** By container name: not to be started before, because its image could not be pulled or it failed to start. */
  readonly holds: ReadonlyMap<string, number>
  readonly restartDelays: RestartDelays
  readonly nowMs: number
}

export type PodAction =
  /** Everything ends: the pod has finished. */
  | { readonly type: 'stopPod' }
  | { readonly type: 'stopSandbox'; readonly sandbox: SandboxStatus }
  | { readonly type: 'createSandbox'; readonly attempt: number }
  | {
      readonly type: 'killContainer'
      readonly container: ContainerStatus
      readonly spec?: Container
      readonly message: string
      readonly cause: KillCause
    }
  | {
      readonly type: 'startContainer'
      readonly spec: Container
      readonly attempt: number
      readonly podRestart: number
      readonly backoff?: RestartBackoff
    }
  | { readonly type: 'removeContainer'; readonly container: ContainerStatus }
  | { readonly type: 'removeSandbox'; readonly id: string }

export type KillCause = 'liveness' | 'startup' | 'definition' | 'sandbox' | 'resize' | 'restartAll'

export interface PodPlan {
  /** To be done in this order; a failed one ends the round. */
  readonly actions: readonly PodAction[]
  /** When to decide again although nothing happens. */
  readonly wakeAtMs?: number
  /** Containers that wait for the end of their restart delay, by name. */
  readonly backingOff: ReadonlyMap<string, number>
}
