import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { ShutdownPeriod } from '../configuration/shutdown-periods.ts'
import type { PodFailure } from '../status/pod-status-input.ts'
import { shutdownGroups } from './shutdown-groups.ts'

/** A pod that the node can end for good. */
export interface EndablePod {
  readonly pod: Pod
  /** Resolves when nothing of it runs any more. */
  end(failure: PodFailure, graceSeconds: number): Promise<void>
}

export interface NodeShutdownOptions {
  readonly clock: Clock
  readonly log: Log
  readonly events: EventRecorder
  readonly periods: readonly ShutdownPeriod[]
  readonly pods: () => readonly EndablePod[]
  readonly node: () => Node | undefined
  /** The node is not ready any more: the API is to know at once. */
  readonly onBegin: () => void
}

export const shutdownComplaint = 'node is shutting down'

/** Why a pod is not taken any more. */
export const shutdownRefusal = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' }

const failure: PodFailure = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  isDisruption: true,
}

/** Ends the pods of a node that goes down, those of the lowest priority first (KEP-2000, KEP-2712). */
export class NodeShutdown {
  readonly #options: NodeShutdownOptions
  #running: Promise<void> | undefined

  constructor(options: NodeShutdownOptions) {
    this.#options = options
  }

  /** The node takes no pods any more. */
  get hasBegun(): boolean {
    return this.#running !== undefined
  }

  /** Resolves when every pod has ended or used up its time. Where no time is configured, pods are left alone. */
  begin(): Promise<void> {
    if (this.#options.periods.length === 0) return Promise.resolve()
    this.#running ??= this.#endAll()
    return this.#running
  }

  async #endAll(): Promise<void> {
    const { log, events, node, onBegin, pods, periods } = this.#options
    log.info('The node is shutting down')
    const own = node()
    if (own) events.record(own, 'Normal', 'NodeShutdown', 'Shutdown manager detected shutdown event')
    onBegin()
    const running = pods().filter(({ pod }) => !isPodTerminal(pod))
    for (const { seconds, subjects } of shutdownGroups(running, periods)) await this.#endGroup(subjects, seconds)
    log.info('The pods of the node have ended')
  }

  async #endGroup(subjects: readonly EndablePod[], seconds: number): Promise<void> {
    const { clock } = this.#options
    const ended = Promise.all(
      subjects.map((subject) => {
        const own = subject.pod.spec.terminationGracePeriodSeconds ?? 30
        return subject.end(failure, Math.min(own, seconds))
      }),
    )
    const stop = new AbortController()
    await Promise.race([ended, clock.sleep(seconds * 1000, stop.signal).catch(() => undefined)])
    stop.abort()
  }
}
