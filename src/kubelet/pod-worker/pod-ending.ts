import { isPodTerminating, terminationGraceSeconds } from '#api/core/v1/pod-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import { pods } from '#api/types/resources.ts'
import type { PodRecord } from './pod-record.ts'
import type { PodReporter } from './pod-reporter.ts'
import { isRunning, isStopped } from './pod-view.ts'
import { minimumGraceSeconds, stopContainers } from './stop-containers.ts'
import type { WorkerContext } from './worker-context.ts'

export interface PodEndingOptions {
  readonly context: WorkerContext
  readonly record: PodRecord
  readonly reporter: PodReporter
  /** Asks for another round: now, or after the delay that a failure calls for. */
  readonly poke: () => void
  readonly retry: () => void
}

/**
 * How a pod ends: its containers are stopped, what the node keeps for it is cleaned away, and its object, its logs and
 * its remains in the runtime go last.
 */
export class PodEnding {
  readonly #options: PodEndingOptions
  #state: 'no' | 'stopping' | 'stopped' = 'no'
  /** Grace period of the stop that is under way. */
  #graceSeconds = Infinity
  #isCleaned = false

  constructor(options: PodEndingOptions) {
    this.#options = options
  }

  /** The node keeps nothing for the pod any more but its logs and what the runtime has of it. */
  get isCleaned(): boolean {
    return this.#isCleaned
  }

  /** Everything was stopped, and nothing has come up since. */
  get isStopped(): boolean {
    return this.#state === 'stopped' && isStopped(this.#options.record.view)
  }

  /** Begins to stop everything, beside the rounds, so that status and haste get through. */
  beginStop(): void {
    if (this.#state === 'stopping') return
    const { context, record, poke, retry } = this.#options
    this.#state = 'stopping'
    this.#graceSeconds = this.#graceSecondsNow()
    const done = this.#stopEverything().then(
      () => {
        this.#state = 'stopped'
        poke()
      },
      (error: unknown) => {
        this.#state = 'no'
        context.log.warn('pod not stopped', { pod: record.pod.metadata.name, error })
        const text = error instanceof Error ? error.message : String(error)
        context.events.record(record.pod, 'Warning', 'FailedKillPod', `error killing pod: ${text}`)
        retry()
      },
    )
    void done
  }

  /** Shortens a stop that is under way when the grace period was shortened meanwhile. */
  hurry(): void {
    if (this.#state !== 'stopping') return
    const graceSeconds = this.#graceSecondsNow()
    if (graceSeconds >= this.#graceSeconds) return
    this.#graceSeconds = graceSeconds
    const { context, record } = this.#options
    for (const run of record.view.containers.filter(isRunning)) {
      context.runtime.stopContainer(run.id, Math.max(graceSeconds, minimumGraceSeconds)).catch((error: unknown) => {
        context.log.warn('container not stopped early', { container: run.id, error })
      })
    }
  }

  /** Cleans up after a pod that is stopped. Resolves to whether nothing of it is left, its object included. */
  async cleanUp(): Promise<boolean> {
    const { record } = this.#options
    if (!this.#isCleaned) await this.#clean()
    if (!record.isRemoved && isPodTerminating(record.pod)) await this.#deleteObject()
    if (!record.isRemoved) return false
    await this.removeRemains()
    await this.#options.context.host.cleanUp(record.pod.metadata, { withLogs: true })
    return true
  }

  /** Containers and sandboxes are no longer kept for their logs and states. */
  async removeRemains(): Promise<void> {
    const { context, record } = this.#options
    for (const run of record.view.containers) {
      await context.runtime.removeContainer(run.id)
      await context.host.removeLog(record.pod, run)
    }
    for (const { id } of record.view.sandboxes) await context.runtime.removeSandbox(id)
  }

  /** Stops all that runs and takes the sandbox down; the pod's object and its remains stay. */
  async #stopEverything(): Promise<void> {
    const { context, record } = this.#options
    const { pod, podIp, view } = record
    const running = view.containers.filter(isRunning)
    await stopContainers(context, { pod, running, graceSeconds: this.#graceSecondsNow(), podIp })
    await Promise.all(view.sandboxes.map(({ id }) => context.runtime.stopSandbox(id)))
  }

  #graceSecondsNow(): number {
    const { pod, evictionGraceSeconds } = this.#options.record
    return Math.min(terminationGraceSeconds(pod), evictionGraceSeconds)
  }

  async #clean(): Promise<void> {
    const { context, record, reporter } = this.#options
    const { host, tokens, certificates, images, metrics } = context
    const { metadata } = record.pod
    await Promise.all([reporter.flushed(), host.cleanUp(metadata, { withLogs: false })])
    tokens.forget(metadata.uid)
    certificates.forget(metadata.uid)
    images.forget(metadata.uid)
    metrics.forgetPod(metadata)
    this.#isCleaned = true
  }

  /** Everything is stopped and cleaned: the API may let go of the object. */
  async #deleteObject(): Promise<void> {
    const { context, record } = this.#options
    const { name, namespace = '', uid } = record.pod.metadata
    try {
      await context.client.resource(pods, namespace).delete(name, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (!isStatusError(error, 'NotFound', 'Conflict')) throw error
    }
  }
}
