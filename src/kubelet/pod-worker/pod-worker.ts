import type { Pod, PodStatus } from '#api/types/core.v1.ts'
import { isRuntimeError } from '../cri/runtime.ts'
import { pressureRefusal } from '../eviction/pressure.ts'
import { timedVolume } from '../metrics/timed-volume.ts'
import type { PodObjects } from '../objects/pod-objects.ts'
import type { PodProber } from '../probes/prober.ts'
import type { PodFailure } from '../status/pod-status-input.ts'
import { shutdownRefusal } from '../shutdown/node-shutdown.ts'
import { isSame } from '../status/status-patch.ts'
import { grantRefusal, refusalOf } from './admission.ts'
import { appArmorRefusal } from './app-armor-refusal.ts'
import { ContainerWaits } from './container-waits.ts'
import { decidePod } from './decide.ts'
import { PodObserver } from './observe-pod.ts'
import { PlanApplier } from './plan-applier.ts'
import { PodEnding } from './pod-ending.ts'
import type { VolumesOnHost } from '../volumes/pod-volumes.ts'
import type { VolumeContext } from '../volumes/volume-plugin.ts'
import type { PodPlan } from './pod-plan.ts'
import { PodRecord } from './pod-record.ts'
import { PodReporter } from './pod-reporter.ts'
import { PodResizer } from './pod-resizer.ts'
import { isRunning, type PodView } from './pod-view.ts'
import { sysctlRefusal } from './sysctl-refusal.ts'
import { Suspects } from './suspects.ts'
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
  readonly #record: PodRecord
  readonly #observer: PodObserver
  readonly #prober: PodProber
  readonly #objects: PodObjects
  readonly #volumes: VolumeKeeper
  readonly #resizer: PodResizer
  readonly #waits: ContainerWaits
  readonly #reporter: PodReporter
  readonly #applier: PlanApplier
  readonly #ending: PodEnding
  readonly #wake: WakeTimer
  readonly #suspects = new Suspects()
  readonly #onView: (view: PodView) => void
  #isAdmitted = false
  #hasSynced = false
  #errorDelayMs = firstErrorDelayMs
  #round: Promise<void> | undefined
  #again = false
  #stopped = false
  readonly #gone = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()

  constructor(context: WorkerContext, pod: Pod, onView: (view: PodView) => void) {
    this.#context = context
    this.#onView = onView
    const record = (this.#record = new PodRecord(context, pod, context.clock.now()))
    const waits = (this.#waits = new ContainerWaits(context))
    const wake = (this.#wake = new WakeTimer(context.clock, () => this.poke()))
    const observer = (this.#observer = new PodObserver(context.runtime, pod.metadata.uid))
    const prober = (this.#prober = context.probers(() => this.poke()))
    const objects = (this.#objects = context.objects.forPod(pod.metadata.namespace ?? '', () => {
      this.#volumes.outdate()
      waits.release()
      this.poke()
    }))
    const resizer = (this.#resizer = new PodResizer(context, (container, spec) => {
      const message = `Container ${spec.name} resize requires restart`
      return this.#applier.kill({ type: 'killContainer', container, spec, message, cause: 'resize' })
    }))
    const onHost = context.host.volumes(pod, () => volumeContext(context, objects, record))
    const volumes = (this.#volumes = new VolumeKeeper({ context, volumes: onHost, wake }))
    const reporter = (this.#reporter = new PodReporter({ context, record, prober, waits, resizer }))
    const onSandbox = (): void => {
      this.#onView(record.view)
      reporter.report()
    }
    this.#applier = new PlanApplier({ context, record, observer, objects, volumes, waits, resizer, onSandbox })
    const retry = (): void => wake.in(this.#errorDelayMs)
    this.#ending = new PodEnding({ context, record, reporter, poke: () => this.poke(), retry })
  }

  get pod(): Pod {
    return this.#record.pod
  }

  /** The newest status that was computed, which the API may not have yet. */
  get status(): PodStatus | undefined {
    return this.#record.status
  }

  get view(): PodView {
    return this.#record.view
  }

  /** Nothing of it runs or is kept for it any more, although its object or its remains may still be there. */
  get hasEnded(): boolean {
    return this.#ending.isCleaned
  }

  /** Its volumes as far as they are set up. */
  get volumes(): VolumesOnHost {
    return this.#volumes.ready
  }

  /** The pod is a static one: its status is shown by this pod of the API, or by none. */
  mirror(pod: Pod | undefined): void {
    this.#reporter.mirror(pod)
  }

  /** The API has a newer version of the pod. */
  update(pod: Pod): void {
    const { labels, annotations } = this.pod.metadata
    if (!isSame([labels, annotations], [pod.metadata.labels, pod.metadata.annotations])) this.#volumes.outdate()
    const needsRound = this.#volumes.isOutdated || concernsWorker(this.pod, pod)
    this.#record.pod = pod
    this.#reporter.observe()
    if (this.#record.isEnding) this.#record.run.abort()
    this.#ending.hurry()
    if (needsRound) this.poke()
  }

  /** The pod's object is gone; what still runs of it is stopped and cleaned up. Resolves when nothing is left. */
  async remove(): Promise<void> {
    this.#record.isRemoved = true
    this.#reporter.stop()
    this.#record.run.abort()
    this.#ending.hurry()
    this.poke()
    await this.#gone.promise
  }

  /** Throws the pod out because the node runs out of something. Resolves when nothing of it runs any more. */
  evict(message: string, graceSeconds: number): Promise<void> {
    if (!this.#record.isEnding) this.#context.events.record(this.pod, 'Warning', 'Evicted', message)
    return this.end({ reason: 'Evicted', message, isDisruption: true }, graceSeconds)
  }

  /**
   * Ends the pod for the node's sake: it has failed, and its containers get no more than the grace period. Resolves when
   * nothing of it runs any more.
   */
  async end(failure: PodFailure, graceSeconds: number): Promise<void> {
    if (!this.#record.isEnding) {
      this.#record.failure = failure
      this.#record.evictionGraceSeconds = graceSeconds
      this.#record.run.abort()
      this.poke()
    }
    await this.#ended.promise
  }

  /** The pod has ended and its object is still there: its containers are no longer kept for their logs. */
  async removeRemains(): Promise<void> {
    if (this.#ending.isCleaned) await this.#ending.removeRemains()
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

  /** Something has come that its volumes may wait for. */
  retryVolumes(): void {
    if (this.#volumes.isWaiting || this.#record.isEnding) this.poke()
  }

  /** Leaves the pod to itself: the kubelet stops, the pod goes on. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake.clear()
    this.#prober.stop()
    this.#record.run.abort()
    this.#objects.release()
    this.#gone.resolve()
    this.#ended.resolve()
    // A call that does not end must not keep the kubelet from ending.
    await Promise.race([this.#round, this.#context.clock.sleep(longestStopMs)])
    this.#reporter.stop()
  }

  async #rounds(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      this.#wake.clear()
      const startedMs = this.#context.clock.monotonic()
      try {
        await this.#oneRound()
        this.#errorDelayMs = firstErrorDelayMs
        const labels = { operation_type: this.#record.isEnding ? 'kill' : this.#hasSynced ? 'sync' : 'create' }
        this.#hasSynced = true
        this.#context.metrics.workerSeconds.observe((this.#context.clock.monotonic() - startedMs) / 1000, labels)
      } catch (error) {
        if (this.#stopped) return
        // That the runtime is down is known already; each pod need not say it again.
        if (!isRuntimeError(error, 'Cancelled', 'Unavailable')) {
          this.#context.log.warn('pod not synchronized', { pod: this.pod.metadata.name, error })
        }
        this.#wake.in(this.#errorDelayMs)
        this.#errorDelayMs = Math.min(this.#errorDelayMs * 2, longestErrorDelayMs)
      }
    }
  }

  async #oneRound(): Promise<void> {
    if (!this.#record.isEnding) await this.#admit()
    await this.#observe()
    if (this.#record.isEnding) return this.#end()
    const deadlineMs = this.#activeDeadlineMs()
    if (deadlineMs !== undefined && deadlineMs <= this.#context.clock.now()) {
      return this.#fail({
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      })
    }
    const resized = await this.#resizer.sync(this.pod, this.view)
    if (resized === 'restarted') {
      this.#again = true
      return
    }
    if (resized === 'retry') this.#wake.in(resizeRetryMs)
    const plan = this.#decide()
    this.#waits.noteBackoffs(this.pod, plan)
    this.#reporter.report()
    if (plan.actions.some(({ type }) => type === 'stopPod')) {
      this.#record.isFinished = true
      this.#again = true
      return
    }
    if (deadlineMs !== undefined) this.#wake.at(deadlineMs)
    if (plan.wakeAtMs !== undefined) this.#wake.at(plan.wakeAtMs)
    if (await this.#applier.apply(plan)) this.#again = true
    if (this.view.containers.some(isRunning)) this.#volumes.keepCurrent(this.pod)
  }

  /** Once per pod: may the node take it? A pod that runs already was admitted before. */
  async #admit(): Promise<void> {
    if (this.#isAdmitted) return
    const node = this.#context.node()
    this.#isAdmitted = true
    const hasStarted = this.pod.status?.startTime !== undefined
    if (hasStarted) return
    const refusal =
      (this.#context.isShuttingDown() ? shutdownRefusal : undefined) ??
      sysctlRefusal(this.pod.spec, this.#context.settings.allowedUnsafeSysctls) ??
      appArmorRefusal(this.pod, this.#context.hasAppArmor) ??
      pressureRefusal(this.pod, this.#context.pressure()) ??
      (node && refusalOf(this.pod, node, this.#context.admittedPods())) ??
      (await grantRefusal(this.pod, this.#context.grants))
    if (!refusal) return
    this.#record.failure = refusal
    this.#context.events.record(this.pod, 'Warning', refusal.reason, refusal.message)
  }

  #fail(failure: PodFailure): void {
    this.#record.failure = failure
    this.#context.events.record(this.pod, 'Normal', failure.reason, failure.message)
    this.poke()
  }

  #activeDeadlineMs(): number | undefined {
    const seconds = this.pod.spec.activeDeadlineSeconds
    const { startTime } = this.pod.status ?? {}
    if (seconds === undefined) return undefined
    return (startTime === undefined ? this.#record.startedAtMs : Date.parse(startTime)) + seconds * 1000
  }

  async #observe(): Promise<void> {
    this.#record.view = await this.#observer.observe()
    this.#onView(this.view)
    await this.#reporter.readLastWords()
    const recheckMs = this.#suspects.check(this.view)
    if (recheckMs !== undefined) this.#wake.in(recheckMs)
    this.#prober.sync(this.pod, this.view, this.#record.podIp)
  }

  #decide(): PodPlan {
    return decidePod({
      pod: this.pod,
      view: this.view,
      probes: this.#prober,
      backoffs: this.#waits.backoffs,
      holds: this.#waits.holds,
      restartDelays: this.#context.settings.restartDelays,
      nowMs: this.#context.clock.now(),
    })
  }

  /** A round of a pod that is to end. */
  async #end(): Promise<void> {
    this.#record.run.abort()
    this.#prober.stopRestartProbes()
    this.#record.hasStopped = this.#ending.isStopped
    this.#reporter.report()
    if (!this.#ending.isStopped) return this.#ending.beginStop()
    this.#prober.stop()
    this.#ended.resolve()
    // Nothing may still be at work on what is taken down.
    await this.#volumes.settled()
    if (!(await this.#ending.cleanUp())) return
    this.#stopped = true
    this.#wake.clear()
    this.#objects.release()
    this.#gone.resolve()
  }
}

function volumeContext(
  { tokens, certificates, clock, allocatable, node, csi, metrics }: WorkerContext,
  objects: PodObjects,
  { place, run }: PodRecord,
): ReturnType<VolumeContext> {
  const own = node()
  return {
    objects,
    place,
    tokens,
    certificates,
    allocatable: allocatable(),
    nowMs: clock.now(),
    signal: run.signal,
    timed: (type, work) => timedVolume(type, work, { clock, metrics }),
    ...(own && { node: own }),
    ...(csi && { csi }),
  }
}

/** Most updates are the echo of our own status: only what others change needs a look at the runtime. */
function concernsWorker(before: Pod, after: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds } = before.metadata
  if (deletionTimestamp !== after.metadata.deletionTimestamp) return true
  if (deletionGracePeriodSeconds !== after.metadata.deletionGracePeriodSeconds) return true
  if (before.status?.phase !== after.status?.phase || (after.spec.readinessGates ?? []).length > 0) return true
  return !isSame(before.spec, after.spec)
}
