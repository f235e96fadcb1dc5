import { isPodTerminal, isPodTerminating, terminationGraceSeconds } from '#api/core/v1/pod-facts.ts'
import { isStatusError } from '#api/meta/status.ts'
import { pods } from '#api/types/resources.ts'
import type { Pod, PodStatus } from '#api/types/core.v1.ts'
import { isRuntimeError } from '../cri/runtime.ts'
import type { SandboxConfig } from '../cri/sandbox.ts'
import type { PodPlace } from '../environment/field-ref.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { PodProber } from '../probes/prober.ts'
import { podStatus } from '../status/pod-status.ts'
import { isSame } from '../status/status-patch.ts'
import { StatusWriter } from '../status/status-writer.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import { pressureRefusal } from '../eviction/pressure.ts'
import type { PodFailure } from '../status/pod-status-input.ts'
import { refusalOf } from './admission.ts'
import { containerEvents } from './container-events.ts'
import { ContainerWaits } from './container-waits.ts'
import { decidePod } from './decide.ts'
import { PodObserver } from './observe-pod.ts'
import type { PreparedPod, VolumeContext } from './pod-host.ts'
import type { PodAction, PodPlan } from './pod-plan.ts'
import { currentSandbox, emptyView, isRunning, isStopped, type PodView } from './pod-view.ts'
import { PodResizer } from './pod-resizer.ts'
import { sandboxConfigOf, writeHosts } from './pod-surroundings.ts'
import { startContainer } from './start-container.ts'
import { stopContainer, stopContainers } from './stop-containers.ts'
import { Suspects } from './suspects.ts'
import { terminationMessage } from './termination-message.ts'
import { VolumeKeeper } from './volume-keeper.ts'
import { WakeTimer } from './wake-timer.ts'
import type { WorkerContext } from './worker-context.ts'

const firstErrorDelayMs = 1_000
const longestErrorDelayMs = 10_000
const longestStopMs = 2_000
const resizeRetryMs = 10_000

/**
 * Runs one pod from the moment it is given to the node until its object is gone: one round after the other, each of
 * which looks at the runtime, decides, reports and acts. Rounds are asked for by `poke` and never overlap.
 */
export class PodWorker {
  readonly #context: WorkerContext
  readonly #observer: PodObserver
  readonly #writer: StatusWriter
  readonly #prober: PodProber
  readonly #objects: PodObjects
  readonly #volumes: VolumeKeeper
  readonly #resizer: PodResizer
  readonly #startedAtMs: number
  readonly #onView: (view: PodView) => void
  #pod: Pod
  #view: PodView = emptyView
  #prepared: Promise<PreparedPod> | undefined
  #status: PodStatus | undefined
  #failure: PodFailure | undefined
  /** Grace period that the kubelet itself sets for a pod that it throws out. */
  #evictionGraceSeconds = Infinity
  #isAdmitted = false
  #hasStarted: boolean
  #isRemoved = false
  #isCleaned = false
  /** Its containers have ended for good. */
  #isFinished = false
  #ending: 'no' | 'stopping' | 'stopped' = 'no'
  /** Grace period of the stop that is under way. */
  #graceSeconds = Infinity
  #errorDelayMs = firstErrorDelayMs
  #round: Promise<void> | undefined
  #again = false
  #stopped = false
  /** Aborts what a round does for a pod that is to run, once it is to end. */
  readonly #runSignal = new AbortController()
  readonly #waits: ContainerWaits
  readonly #wake: WakeTimer
  readonly #messages = new Map<string, string>()
  readonly #suspects = new Suspects()
  readonly #gone = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()

  constructor(context: WorkerContext, pod: Pod, onView: (view: PodView) => void) {
    this.#context = context
    this.#pod = pod
    this.#onView = onView
    this.#startedAtMs = context.clock.now()
    this.#hasStarted = pod.status?.phase !== undefined && pod.status.phase !== 'Pending'
    this.#waits = new ContainerWaits(context)
    this.#wake = new WakeTimer(context.clock, () => this.poke())
    this.#observer = new PodObserver(context.runtime, pod.metadata.uid)
    this.#writer = new StatusWriter(context, pod)
    this.#prober = context.probers(() => this.poke())
    this.#objects = context.objects.forPod(pod.metadata.namespace ?? '', () => {
      this.#volumes.outdate()
      this.#waits.release()
      this.poke()
    })
    this.#resizer = new PodResizer(context, (container, spec) => {
      const message = `Container ${spec.name} resize requires restart`
      return this.#killOne({ type: 'killContainer', container, spec, message, cause: 'resize' })
    })
    const volumes = context.host.volumes(pod, () => volumeContext(context, this.#objects, this.#place()))
    this.#volumes = new VolumeKeeper({ context, volumes, wake: this.#wake })
  }

  get pod(): Pod {
    return this.#pod
  }

  /** The newest status that was computed, which the API may not have yet. */
  get status(): PodStatus | undefined {
    return this.#status
  }

  get view(): PodView {
    return this.#view
  }

  /** The API has a newer version of the pod. */
  update(pod: Pod): void {
    const { labels, annotations } = this.#pod.metadata
    if (!isSame([labels, annotations], [pod.metadata.labels, pod.metadata.annotations])) this.#volumes.outdate()
    const needsRound = this.#volumes.isOutdated || concernsWorker(this.#pod, pod)
    this.#pod = pod
    this.#writer.observe(pod)
    if (this.#isEnding) this.#runSignal.abort()
    this.#hurry()
    if (needsRound) this.poke()
  }

  /** The pod's object is gone; what still runs of it is stopped and cleaned up. Resolves when nothing is left. */
  async remove(): Promise<void> {
    this.#isRemoved = true
    this.#writer.stop()
    this.#runSignal.abort()
    this.#hurry()
    this.poke()
    await this.#gone.promise
  }

  /**
   * Throws the pod out for the node's sake: it has failed, and its containers get no more than the grace period.
   * Resolves when nothing of it runs any more.
   */
  async evict(message: string, graceSeconds: number): Promise<void> {
    if (!this.#isEnding) {
      this.#failure = { reason: 'Evicted', message, isDisruption: true }
      this.#evictionGraceSeconds = graceSeconds
      this.#context.events.record(this.#pod, 'Warning', 'Evicted', message)
      this.#runSignal.abort()
      this.poke()
    }
    await this.#ended.promise
  }

  /** The pod has ended and its object is still there: its containers are no longer kept for their logs. */
  async removeRemains(): Promise<void> {
    if (!this.#isCleaned) return
    for (const { id } of this.#view.containers) await this.#context.runtime.removeContainer(id)
    for (const { id } of this.#view.sandboxes) await this.#context.runtime.removeSandbox(id)
  }

  /** Asks for a round. `suspectId`: a container that is said to have ended, even if the runtime still says it runs. */
  poke(suspectId?: string): void {
    if (suspectId !== undefined) this.#suspects.add(suspectId)
    if (this.#stopped) return
    this.#again = true
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined
      if (this.#again && !this.#stopped) this.poke()
    })
  }

  /** Leaves the pod to itself: the kubelet stops, the pod goes on. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake.clear()
    this.#prober.stop()
    this.#runSignal.abort()
    this.#objects.release()
    this.#gone.resolve()
    this.#ended.resolve()
    // A call that does not end must not keep the kubelet from ending.
    await Promise.race([this.#round, this.#context.clock.sleep(longestStopMs)])
    this.#writer.stop()
  }

  get #isEnding(): boolean {
    return (
      this.#isRemoved ||
      this.#isFinished ||
      this.#failure !== undefined ||
      isPodTerminating(this.#pod) ||
      isPodTerminal(this.#pod)
    )
  }

  async #rounds(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      this.#wake.clear()
      const startedMs = this.#context.clock.monotonic()
      try {
        await this.#oneRound()
        this.#errorDelayMs = firstErrorDelayMs
        const labels = { operation_type: this.#isEnding ? 'terminating' : 'sync' }
        this.#context.metrics.workerSeconds.observe((this.#context.clock.monotonic() - startedMs) / 1000, labels)
      } catch (error) {
        if (this.#stopped) return
        // That the runtime is down is known already; each pod need not say it again.
        if (!isRuntimeError(error, 'Cancelled', 'Unavailable')) {
          this.#context.log.warn('pod not synchronized', { pod: this.#pod.metadata.name, error })
        }
        this.#wake.in(this.#errorDelayMs)
        this.#errorDelayMs = Math.min(this.#errorDelayMs * 2, longestErrorDelayMs)
      }
    }
  }

  async #oneRound(): Promise<void> {
    if (!this.#isEnding) this.#admit()
    await this.#observe()
    if (this.#isEnding) return this.#end()
    const deadlineMs = this.#activeDeadlineMs()
    if (deadlineMs !== undefined && deadlineMs <= this.#context.clock.now()) {
      return this.#fail({
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      })
    }
    if (await this.#resizer.sync(this.#pod, this.#view)) this.#wake.in(resizeRetryMs)
    const plan = this.#decide()
    this.#report(plan)
    if (plan.actions.some(({ type }) => type === 'stopPod')) {
      this.#isFinished = true
      this.#again = true
      return
    }
    if (deadlineMs !== undefined) this.#wake.at(deadlineMs)
    if (plan.wakeAtMs !== undefined) this.#wake.at(plan.wakeAtMs)
    await this.#apply(plan)
    if (this.#view.containers.some(isRunning)) await this.#volumes.keepCurrent(this.#pod)
  }

  /** Once per pod: may the node take it? A pod that runs already was admitted before. */
  #admit(): void {
    if (this.#isAdmitted) return
    const node = this.#context.node()
    this.#isAdmitted = true
    const hasStarted = this.#pod.status?.startTime !== undefined
    if (hasStarted) return
    const refusal =
      pressureRefusal(this.#pod, this.#context.pressure()) ??
      (node && refusalOf(this.#pod, node, this.#context.admittedPods()))
    if (!refusal) return
    this.#failure = refusal
    this.#context.events.record(this.#pod, 'Warning', refusal.reason, refusal.message)
  }

  #fail(failure: PodFailure): void {
    this.#failure = failure
    this.#context.events.record(this.#pod, 'Normal', failure.reason, failure.message)
    this.poke()
  }

  #activeDeadlineMs(): number | undefined {
    const seconds = this.#pod.spec.activeDeadlineSeconds
    const { startTime } = this.#pod.status ?? {}
    if (seconds === undefined) return undefined
    return (startTime === undefined ? this.#startedAtMs : Date.parse(startTime)) + seconds * 1000
  }

  async #observe(): Promise<void> {
    this.#view = await this.#observer.observe()
    this.#onView(this.#view)
    for (const run of this.#view.containers) {
      if (run.state !== 'exited' || this.#messages.has(run.id)) continue
      this.#messages.set(run.id, await terminationMessage(this.#context.host, run).catch(() => ''))
    }
    const ids = new Set(this.#view.containers.map(({ id }) => id))
    for (const id of this.#messages.keys()) if (!ids.has(id)) this.#messages.delete(id)
    const recheckMs = this.#suspects.check(this.#view)
    if (recheckMs !== undefined) this.#wake.in(recheckMs)
    this.#prober.sync(this.#pod, this.#view, this.#podIps()[0] ?? '')
  }

  #decide(): PodPlan {
    return decidePod({
      pod: this.#pod,
      view: this.#view,
      probes: this.#prober,
      backoffs: this.#waits.backoffs,
      holds: this.#waits.holds,
      nowMs: this.#context.clock.now(),
    })
  }

  /** Computes the status and has it written. */
  #report(plan?: PodPlan): void {
    if (plan) this.#waits.noteBackoffs(this.#pod, plan)
    const { runtimeName, hostIps, clock } = this.#context
    this.#status = podStatus({
      pod: { ...this.#pod, status: this.#knownStatus() },
      view: this.#view,
      probes: this.#prober,
      waiting: this.#waits.reasons,
      terminationMessages: this.#messages,
      ...(this.#failure && { failure: this.#failure }),
      isEnding: this.#isEnding,
      given: this.#resizer.given,
      ...(this.#resizer.condition && { resize: this.#resizer.condition }),
      runtimeName,
      hostIps,
      startedAtMs: this.#startedAtMs,
      nowMs: clock.now(),
    })
    this.#noteStart(this.#status)
    if (!this.#isRemoved) this.#writer.write(this.#status)
  }

  /** Once per pod: how long it took from its arrival to its running. A pod that ran before does not count. */
  #noteStart({ phase }: PodStatus): void {
    if (this.#hasStarted || phase !== 'Running') return
    this.#hasStarted = true
    const { metrics, clock } = this.#context
    metrics.startedPods.add()
    metrics.podStartSeconds.observe((clock.now() - this.#startedAtMs) / 1000)
  }

  /** Our own last status, with the conditions of others as the server has them now. */
  #knownStatus(): PodStatus {
    const server = this.#writer.server.status ?? {}
    const own = this.#status
    if (own === undefined) return server
    const ownTypes = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])
    const foreign = (server.conditions ?? []).filter(({ type }) => !ownTypes.has(type))
    return {
      ...server,
      ...own,
      conditions: [...(own.conditions ?? []).filter(({ type }) => ownTypes.has(type)), ...foreign],
    }
  }

  async #apply(plan: PodPlan): Promise<void> {
    const starts = plan.actions.filter((action) => action.type === 'startContainer')
    const others = plan.actions.filter((action) => action.type !== 'startContainer' && action.type !== 'stopPod')
    if (plan.actions.length === 0) return
    // Volumes are made ready while the runtime sets the sandbox up: neither needs the other.
    const volumes = starts.length > 0 ? this.#prepare().then(() => this.#volumes.setUp(this.#pod)) : undefined
    volumes?.catch(() => undefined)
    for (const action of others.filter(({ type }) => type !== 'removeContainer' && type !== 'removeSandbox'))
      await this.#act(action)
    const ready = await volumes
    if (ready !== undefined) await this.#startAll(starts, ready)
    for (const action of others.filter(({ type }) => type === 'removeContainer' || type === 'removeSandbox'))
      await this.#act(action)
    // What was done shows in the runtime: look again. Failed starts have set a time to come back.
    if (ready !== undefined || others.length > 0) this.#again = true
  }

  async #act(action: Exclude<PodAction, { type: 'startContainer' | 'stopPod' }>): Promise<void> {
    const { runtime } = this.#context
    switch (action.type) {
      case 'createSandbox':
        return this.#createSandbox(action.attempt)
      case 'stopSandbox':
        return runtime.stopSandbox(action.sandbox.id)
      case 'killContainer':
        return this.#killOne(action)
      case 'removeContainer':
        return runtime.removeContainer(action.container.id)
      case 'removeSandbox':
        return runtime.removeSandbox(action.id)
    }
  }

  async #killOne({
    container: run,
    spec,
    message,
    cause,
  }: Extract<PodAction, { type: 'killContainer' }>): Promise<void> {
    const record = containerEvents(this.#context.events, this.#pod, run.name)
    record('Normal', cause === 'sandbox' ? 'SandboxChanged' : 'Killing', message)
    const probe = cause === 'liveness' ? spec?.livenessProbe : cause === 'startup' ? spec?.startupProbe : undefined
    const graceSeconds = probe?.terminationGracePeriodSeconds ?? this.#pod.spec.terminationGracePeriodSeconds ?? 30
    const podIp = this.#podIps()[0] ?? ''
    const { signal } = this.#runSignal
    await stopContainer(this.#context, { pod: this.#pod, run, graceSeconds, podIp, signal, ...(spec && { spec }) })
  }

  #prepare(): Promise<PreparedPod> {
    this.#prepared ??= this.#context.host.prepare(this.#pod).catch((error: unknown) => {
      this.#prepared = undefined
      throw error
    })
    return this.#prepared
  }

  async #sandboxConfig(attempt: number): Promise<SandboxConfig> {
    return sandboxConfigOf(this.#context, { pod: this.#pod, attempt, prepared: await this.#prepare() })
  }

  async #createSandbox(attempt: number): Promise<void> {
    const { runtime, events } = this.#context
    try {
      const config = await this.#sandboxConfig(attempt)
      const id = await runtime.runSandbox(config, { signal: this.#runSignal.signal })
      this.#view = await this.#observer.withSandbox(this.#view, id)
    } catch (error) {
      if (!isRuntimeError(error, 'Cancelled')) {
        const text = error instanceof Error ? error.message : String(error)
        events.record(this.#pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${text}`)
      }
      throw error
    }
    this.#onView(this.#view)
    this.#report()
  }

  async #startAll(
    starts: readonly Extract<PodAction, { type: 'startContainer' }>[],
    volumes: VolumesOnHost,
  ): Promise<void> {
    const sandbox = currentSandbox(this.#view)
    if (sandbox === undefined || starts.length === 0) return
    const [config, hostsPath] = await Promise.all([
      this.#sandboxConfig(sandbox.metadata.attempt),
      writeHosts(this.#context, this.#pod, this.#podIps()),
    ])
    for (const { spec, attempt, backoff } of starts) {
      if (this.#runSignal.signal.aborted) return
      this.#waits.restarting(spec.name, backoff)
      const targetId = this.#targetIdOf(spec.name)
      try {
        await startContainer(this.#context, {
          pod: this.#pod,
          container: this.#resizer.granted(spec),
          attempt,
          place: this.#place(),
          objects: this.#objects,
          volumes,
          hostsPath,
          sandboxId: sandbox.id,
          sandbox: config,
          podIp: this.#podIps()[0] ?? '',
          signal: this.#runSignal.signal,
          ...(targetId !== undefined && { targetId }),
        })
        this.#waits.started(spec.name)
        this.#context.metrics.startedContainers.add({ container_type: 'container' })
      } catch (error) {
        this.#context.metrics.startedContainerErrors.add({ container_type: 'container' })
        this.#waits.failed(this.#pod, spec.name, error)
      }
    }
  }

  #targetIdOf(name: string): string | undefined {
    const target = this.#pod.spec.ephemeralContainers?.find((container) => container.name === name)?.targetContainerName
    return target === undefined
      ? undefined
      : this.#view.containers.find((run) => run.name === target && isRunning(run))?.id
  }

  #podIps(): readonly string[] {
    if (this.#pod.spec.hostNetwork === true) return this.#context.hostIps
    return currentSandbox(this.#view)?.ips ?? []
  }

  #place(): PodPlace {
    const { nodeName, hostIps } = this.#context
    return { nodeName, hostIps, podIps: this.#podIps() }
  }

  /** Stops all that runs and takes the sandbox down; the pod's object and its remains stay. */
  async #stopEverything(): Promise<void> {
    const running = this.#view.containers.filter(isRunning)
    const graceSeconds = this.#graceSecondsNow()
    await stopContainers(this.#context, { pod: this.#pod, running, graceSeconds, podIp: this.#podIps()[0] ?? '' })
    await Promise.all(this.#view.sandboxes.map(({ id }) => this.#context.runtime.stopSandbox(id)))
  }

  #graceSecondsNow(): number {
    return Math.min(terminationGraceSeconds(this.#pod), this.#evictionGraceSeconds)
  }

  /** A round of a pod that is to end. The stopping goes on beside the rounds, so that status and haste get through. */
  async #end(): Promise<void> {
    this.#runSignal.abort()
    this.#prober.stopRestartProbes()
    this.#report()
    if (this.#ending === 'stopped' && isStopped(this.#view)) {
      this.#prober.stop()
      this.#ended.resolve()
      return this.#cleanUp()
    }
    if (this.#ending !== 'stopping') this.#beginStop()
  }

  #beginStop(): void {
    const { log, events } = this.#context
    this.#ending = 'stopping'
    this.#graceSeconds = this.#graceSecondsNow()
    const done = this.#stopEverything().then(
      () => {
        this.#ending = 'stopped'
        this.poke()
      },
      (error: unknown) => {
        this.#ending = 'no'
        log.warn('pod not stopped', { pod: this.#pod.metadata.name, error })
        const text = error instanceof Error ? error.message : String(error)
        events.record(this.#pod, 'Warning', 'FailedKillPod', `error killing pod: ${text}`)
        this.#wake.in(this.#errorDelayMs)
      },
    )
    void done
  }

  /** Shortens a stop that is under way when the grace period was shortened meanwhile. */
  #hurry(): void {
    if (this.#ending !== 'stopping') return
    const graceSeconds = this.#graceSecondsNow()
    if (graceSeconds >= this.#graceSeconds) return
    this.#graceSeconds = graceSeconds
    for (const run of this.#view.containers.filter(isRunning)) {
      this.#context.runtime.stopContainer(run.id, graceSeconds).catch((error: unknown) => {
        this.#context.log.warn('container not stopped early', { container: run.id, error })
      })
    }
  }

  async #cleanUp(): Promise<void> {
    const { host, tokens, images } = this.#context
    if (!this.#isCleaned) {
      await Promise.all([this.#writer.flushed(), host.cleanUp(this.#pod.metadata, { withLogs: false })])
      tokens.forget(this.#pod.metadata.uid)
      images.forget(this.#pod.metadata.uid)
      this.#context.metrics.forgetPod(this.#pod.metadata.uid)
      this.#isCleaned = true
    }
    if (!this.#isRemoved && isPodTerminating(this.#pod)) await this.#deleteObject()
    if (this.#isRemoved) await this.#forget()
  }

  /** Everything is stopped and cleaned: the API may let go of the object. */
  async #deleteObject(): Promise<void> {
    const { name, namespace = '', uid } = this.#pod.metadata
    try {
      await this.#context.client
        .resource(pods, namespace)
        .delete(name, { gracePeriodSeconds: 0, preconditions: { uid } })
    } catch (error) {
      if (!isStatusError(error, 'NotFound', 'Conflict')) throw error
    }
  }

  /** The object is gone: logs, containers and sandboxes go too. */
  async #forget(): Promise<void> {
    const { host, runtime } = this.#context
    for (const { id } of this.#view.containers) await runtime.removeContainer(id)
    for (const { id } of this.#view.sandboxes) await runtime.removeSandbox(id)
    await host.cleanUp(this.#pod.metadata, { withLogs: true })
    this.#stopped = true
    this.#wake.clear()
    this.#objects.release()
    this.#gone.resolve()
  }
}

function volumeContext(
  { tokens, clock, allocatable, node }: WorkerContext,
  objects: PodObjects,
  place: PodPlace,
): ReturnType<VolumeContext> {
  const own = node()
  return { objects, place, tokens, allocatable: allocatable(), nowMs: clock.now(), ...(own && { node: own }) }
}

/** Most updates are the echo of our own status: only what others change needs a look at the runtime. */
function concernsWorker(before: Pod, after: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = before.metadata
  if (deletionTimestamp !== after.metadata.deletionTimestamp) return true
  if (deletionGracePeriodSeconds !== after.metadata.deletionGracePeriodSeconds) return true
  if (before.status?.phase !== after.status?.phase || (after.spec.readinessGates ?? []).length > 0) return true
  return !isSame(before.spec, after.spec)
}
