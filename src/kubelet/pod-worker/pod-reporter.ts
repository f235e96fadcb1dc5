import type { Pod, PodStatus } from '#api/types/core.v1.ts'
import type { PodProber } from '../probes/prober.ts'
import { podStatus } from '../status/pod-status.ts'
import { StatusWriter } from '../status/status-writer.ts'
import { isStaticPod } from '../static-pods/pod-source.ts'
import type { ContainerWaits } from './container-waits.ts'
import { handlerOf } from './handler-support.ts'
import type { PodRecord } from './pod-record.ts'
import type { PodResizer } from './pod-resizer.ts'
import { terminationMessage } from './termination-message.ts'
import type { WorkerContext } from './worker-context.ts'

export interface PodReporterOptions {
  readonly context: WorkerContext
  readonly record: PodRecord
  readonly prober: PodProber
  readonly waits: ContainerWaits
  readonly resizer: PodResizer
}

const ownConditions = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'AllContainersRestarting',
])

/** Computes a pod's status from what its worker knows and has it written. */
export class PodReporter {
  readonly #options: PodReporterOptions
  readonly #writer: StatusWriter
  readonly #messages = new Map<string, string>()
  #hasStarted: boolean

  constructor(options: PodReporterOptions) {
    this.#options = options
    const { pod } = options.record
    this.#hasStarted = pod.status?.phase !== undefined && pod.status.phase !== 'Pending'
    this.#writer = new StatusWriter(options.context, isStaticPod(pod) ? undefined : pod)
  }

  /** The pod is a static one: its status is shown by this pod of the API, or by none. */
  mirror(pod: Pod | undefined): void {
    this.#writer.retarget(pod)
  }

  /** The API has a newer version of the pod. */
  observe(): void {
    this.#writer.observe(this.#options.record.pod)
  }

  /** Resolves when the API has the newest status. */
  flushed(): Promise<void> {
    return this.#writer.flushed()
  }

  stop(): void {
    this.#writer.stop()
  }

  /** Reads the last words of containers that have ended since the last look. */
  async readLastWords(): Promise<void> {
    const { context, record } = this.#options
    for (const run of record.view.containers) {
      if (run.state !== 'exited' || this.#messages.has(run.id)) continue
      this.#messages.set(run.id, await terminationMessage(context.host, run).catch(() => ''))
    }
    const ids = new Set(record.view.containers.map(({ id }) => id))
    for (const id of this.#messages.keys()) if (!ids.has(id)) this.#messages.delete(id)
  }

  /** Computes the status and has it written. */
  report(): void {
    const { context, record, prober, waits, resizer } = this.#options
    const { runtimeName, hostIps, clock } = context
    const status = podStatus({
      pod: { ...record.pod, status: this.#knownStatus() },
      view: record.view,
      probes: prober,
      waiting: waits.reasons,
      terminationMessages: this.#messages,
      ...(record.failure && { failure: record.failure }),
      isEnding: record.isEnding,
      hasStopped: record.hasStopped,
      given: resizer.given,
      ...(resizer.givenToPod && { givenToPod: resizer.givenToPod }),
      ...(resizer.condition && { resize: resizer.condition }),
      deviceHealth: context.grants && ((container) => context.grants?.health(record.pod, container) ?? []),
      runtimeName,
      canMountRecursively: handlerOf(context, record.pod)?.recursiveReadOnly === true,
      hostIps,
      startedAtMs: record.startedAtMs,
      nowMs: clock.now(),
    })
    record.status = status
    this.#noteStart(status)
    if (!record.isRemoved) this.#writer.write(status)
  }

  /** Once per pod: how long it took from its arrival to its running. A pod that ran before does not count. */
  #noteStart({ phase }: PodStatus): void {
    if (this.#hasStarted || phase !== 'Running') return
    this.#hasStarted = true
    const { context, record } = this.#options
    context.metrics.startedPods.add()
    const nowMs = context.clock.now()
    context.metrics.podStartSeconds.observe((nowMs - record.startedAtMs) / 1000)
    const createdMs = Date.parse(record.pod.metadata.creationTimestamp)
    if (!Number.isNaN(createdMs)) context.metrics.podStartTotalSeconds.observe(Math.max(0, nowMs - createdMs) / 1000)
  }

  /** Our own last status, with the conditions of others, and an end that others declared, as the server has them now. */
  #knownStatus(): PodStatus {
    const server = this.#writer.server?.status ?? {}
    const own = this.#options.record.status
    if (own === undefined) return server
    const foreign = (server.conditions ?? []).filter(({ type }) => !ownConditions.has(type))
    const hasEnded = server.phase === 'Failed' || server.phase === 'Succeeded'
    return {
      ...server,
      ...own,
      ...(hasEnded && { phase: server.phase }),
      conditions: [...(own.conditions ?? []).filter(({ type }) => ownConditions.has(type)), ...foreign],
    }
  }
}
