import { isPodTerminal, isPodTerminating } from '#api/core/v1/pod-facts.ts'
import type { Pod, PodStatus } from '#api/types/core.v1.ts'
import type { PodPlace } from '../environment/field-ref.ts'
import type { PodFailure } from '../status/pod-status-input.ts'
import { currentSandbox, emptyView, type PodView } from './pod-view.ts'
import type { WorkerContext } from './worker-context.ts'

/** What the parts of one pod's worker know of the pod in common: its object, what runs of it, and how it stands. */
export class PodRecord {
  readonly #context: Pick<WorkerContext, 'hostIps' | 'nodeName'>
  readonly startedAtMs: number
  pod: Pod
  view: PodView = emptyView
  /** The newest status that was computed, which the API may not have yet. */
  status: PodStatus | undefined
  failure: PodFailure | undefined
  /** Grace period that the kubelet itself sets for a pod that it throws out. */
  evictionGraceSeconds = Infinity
  /** The pod's object is gone. */
  isRemoved = false
  /** It is to end, everything of it was stopped, and nothing has come up since. */
  hasStopped = false
  /** Its containers have ended for good. */
  isFinished = false
  /** Aborts what is done for a pod that is to run, once it is to end. */
  readonly run = new AbortController()

  constructor(context: Pick<WorkerContext, 'hostIps' | 'nodeName'>, pod: Pod, startedAtMs: number) {
    this.#context = context
    this.pod = pod
    this.startedAtMs = startedAtMs
  }

  /** Nothing of the pod is to be started any more. */
  get isEnding(): boolean {
    return (
      this.isRemoved ||
      this.isFinished ||
      this.failure !== undefined ||
      isPodTerminating(this.pod) ||
      isPodTerminal(this.pod)
    )
  }

  get podIps(): readonly string[] {
    if (this.pod.spec.hostNetwork === true) return this.#context.hostIps
    return currentSandbox(this.view)?.ips ?? []
  }

  get podIp(): string {
    return this.podIps[0] ?? ''
  }

  get place(): PodPlace {
    const { nodeName, hostIps } = this.#context
    return { nodeName, hostIps, podIps: this.podIps }
  }
}
