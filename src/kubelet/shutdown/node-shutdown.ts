import { isPodTerminal } from '#api/core/v1/pod-facts.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import type { MetricFamily } from '#lib/metrics/metric.ts'
import type { ShutdownPeriod } from '../configuration/shutdown-periods.ts'
import type { PodFailure } from '../status/pod-status-input.ts'
import { shutdownGroups } from './shutdown-groups.ts'
import type { ShutdownRecord } from './shutdown-record.ts'

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
  /** The node is not ready any more, or is again: the API is to know at once. */
  readonly onChange: () => void
  readonly record: Pick<ShutdownRecord, 'begin' | 'end' | 'read'>
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

  /** The machine stays: the node takes pods again. Those that have ended stay ended. */
  cancel(): void {
    if (this.#running === undefined) return
    this.#running = undefined
    this.#announce('Shutdown manager detected shutdown cancellation')
  }

  /** How long all pods together may take. */
  get neededMs(): number {
    return this.#options.periods.reduce((sum, { seconds }) => sum + seconds * 1000, 0)
  }

  /** When the last shutdown was. */
  readMetrics(): readonly MetricFamily[] {
    return this.#options.record.read()
  }

  async #endAll(): Promise<void> {
    const { log, pods, periods, record } = this.#options
    this.#announce('Shutdown manager detected shutdown event')
    await record.begin()
    const running = pods().filter(({ pod }) => !isPodTerminal(pod))
    for (const { seconds, subjects } of shutdownGroups(running, periods)) await this.#endGroup(subjects, seconds)
    await record.end()
    log.info('The pods of the node have ended')
  }

  #announce(message: string): void {
    const { log, events, node, onChange } = this.#options
    log.info(message)
    const own = node()
    if (own) events.record(own, 'Normal', 'NodeShutdown', message)
    // Not before `hasBegun` says the same.
    queueMicrotask(onChange)
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
