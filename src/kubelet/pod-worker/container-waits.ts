import { allContainers } from '#api/core/v1/pod-facts.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { formatDuration } from '#lib/go-duration.ts'
import { ContainerStartError } from '../environment/container-start-error.ts'
import type { WaitingReason } from '../status/pod-status-input.ts'
import { containerEvents } from './container-events.ts'
import type { PodPlan } from './pod-plan.ts'
import type { RestartBackoff } from './restart-backoff.ts'
import type { WorkerContext } from './worker-context.ts'

/** How long a container that could not be started is left alone, doubled with each failure, unless its image says otherwise. */
const firstRetryMs = 2_000
const longestRetryMs = 20_000

/** Why containers of a pod are not running, and until when. */
export class ContainerWaits {
  readonly #context: Pick<WorkerContext, 'clock' | 'images' | 'events'>
  readonly #reasons = new Map<string, WaitingReason>()
  readonly #holds = new Map<string, number>()
  readonly #retryMs = new Map<string, number>()
  readonly #backoffs = new Map<string, RestartBackoff>()

  constructor(context: Pick<WorkerContext, 'clock' | 'images' | 'events'>) {
    this.#context = context
  }

  /** By container name: what the status says. */
  get reasons(): ReadonlyMap<string, WaitingReason> {
    return this.#reasons
  }

  get holds(): ReadonlyMap<string, number> {
    return this.#holds
  }

  get backoffs(): ReadonlyMap<string, RestartBackoff> {
    return this.#backoffs
  }

  /** Something that a container may have waited for has changed. */
  release(): void {
    this.#holds.clear()
  }

  restarting(name: string, backoff: RestartBackoff | undefined): void {
    if (backoff) this.#backoffs.set(name, backoff)
  }

  started(name: string): void {
    this.#reasons.delete(name)
    this.#holds.delete(name)
    this.#retryMs.delete(name)
  }

  /** Notes why the container could not be started; other errors are thrown on. */
  failed(pod: Pod, name: string, error: unknown): void {
    if (!(error instanceof ContainerStartError)) throw error
    this.#reasons.set(name, { reason: error.reason, message: error.message })
    const container = allContainers(pod.spec).find((spec) => spec.name === name)
    const isBackOff = error.reason === 'ImagePullBackOff'
    const retryAtMs = isBackOff && container ? this.#context.images.retryAtMs(pod, container) : undefined
    const retryMs = this.#retryMs.get(name) ?? firstRetryMs
    this.#retryMs.set(name, Math.min(retryMs * 2, longestRetryMs))
    this.#holds.set(name, retryAtMs ?? this.#context.clock.now() + retryMs)
  }

  /** Brings the CrashLoopBackOff reasons in line with the plan, with one event per delay. */
  noteBackoffs(pod: Pod, { backingOff }: PodPlan): void {
    const { name, namespace = '', uid } = pod.metadata
    const podText = `${name}_${namespace}(${uid})`
    for (const [container, delayMs] of backingOff) {
      const message = `back-off ${formatDuration(delayMs)} restarting failed container=${container} pod=${podText}`
      if (this.#reasons.get(container)?.message === message) continue
      this.#reasons.set(container, { reason: 'CrashLoopBackOff', message })
      containerEvents(this.#context.events, pod, container)(
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${container} in pod ${podText}`,
      )
    }
    for (const [container, { reason }] of this.#reasons) {
      if (reason === 'CrashLoopBackOff' && !backingOff.has(container)) this.#reasons.delete(container)
    }
  }
}
