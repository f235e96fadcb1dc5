import { isSidecar } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod, Probe } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import { containerEvents } from '../pod-worker/container-events.ts'
import { isRunning, latestContainer, type PodView } from '../pod-worker/pod-view.ts'
import type { ProbeResults, ProbeType } from './probe-results.ts'
import type { ProbeRunner, ProbeTarget } from './run-probe.ts'

/** Makes the probes of pods. */
export type Probers = (onChange: () => void) => PodProber

export interface ProbersOptions {
  readonly clock: Clock
  readonly random: Random
  readonly events: EventRecorder
  readonly run: ProbeRunner
  readonly metrics: KubeletMetrics
}

export function createProbers(options: ProbersOptions): Probers {
  return (onChange) => new PodProber(options, onChange)
}

const probeTypes: readonly ProbeType[] = ['startup', 'liveness', 'readiness']

/** Runs the probes of one pod's containers, each on a timer of its own, and keeps what they found. */
export class PodProber implements ProbeResults {
  readonly #options: ProbersOptions
  readonly #onChange: () => void
  /** By container id. */
  readonly #probes = new Map<string, Map<ProbeType, ContainerProbe>>()
  #pod: Pod | undefined

  constructor(options: ProbersOptions, onChange: () => void) {
    this.#options = options
    this.#onChange = onChange
  }

  /** Starts the probes of containers that run and stops those of containers that do not. */
  sync(pod: Pod, view: PodView, podIp: string): void {
    this.#pod = pod
    const running = new Set<string>()
    for (const container of [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]) {
      const run = latestContainer(view, container.name)
      if (run === undefined || !isRunning(run)) continue
      running.add(run.id)
      if (!this.#probes.has(run.id)) this.#probes.set(run.id, this.#start(container, run, podIp))
    }
    for (const [id, probes] of this.#probes) {
      if (running.has(id)) continue
      for (const probe of probes.values()) probe.stop()
      this.#probes.delete(id)
    }
  }

  /** A pod that ends is not restarted any more, but readiness still counts until it has ended. */
  stopRestartProbes(): void {
    for (const probes of this.#probes.values()) {
      probes.get('startup')?.stop()
      probes.get('liveness')?.stop()
    }
  }

  stop(): void {
    for (const probes of this.#probes.values()) for (const probe of probes.values()) probe.stop()
    this.#probes.clear()
  }

  hasFailed(type: ProbeType, containerId: string): boolean {
    return this.#probes.get(containerId)?.get(type)?.result === 'failure'
  }

  isStarted(container: Container, containerId: string): boolean {
    return container.startupProbe === undefined || this.#probes.get(containerId)?.get('startup')?.result === 'success'
  }

  isReady(container: Container, containerId: string): boolean {
    if (!this.isStarted(container, containerId)) return false
    return (
      container.readinessProbe === undefined || this.#probes.get(containerId)?.get('readiness')?.result === 'success'
    )
  }

  #start(container: Container, run: ContainerStatus, podIp: string): Map<ProbeType, ContainerProbe> {
    const probes = new Map<ProbeType, ContainerProbe>()
    const known = this.#knownStatus(container.name, run.id)
    for (const type of probeTypes) {
      const spec = specOf(container, type)
      if (spec === undefined) continue
      const probe = new ContainerProbe({
        ...this.#options,
        spec,
        type,
        startedAtMs: run.startedAtMs,
        // After a restart of the kubelet a container stays what it was until a probe says otherwise.
        initial: initialResult(type, known),
        mayRun: () => type === 'startup' || this.isStarted(container, run.id),
        attempt: () => this.#attempt(type, spec, { container, containerId: run.id, podIp }),
        report: (message) => this.#report(container.name, type, message),
        changed: () => this.#changed(type, run.id),
      })
      probes.set(type, probe)
    }
    for (const probe of probes.values()) probe.start()
    return probes
  }

  async #attempt(type: ProbeType, spec: Probe, target: ProbeTarget): ReturnType<ProbeRunner> {
    const { run, metrics, clock } = this.#options
    const startedMs = clock.monotonic()
    const outcome = await run(spec, target)
    const { name = '', namespace = '', uid = '' } = this.#pod?.metadata ?? {}
    const labels = { container: target.container.name, namespace, pod: name, probe_type: capitalized(type) }
    metrics.probes.add({ ...labels, pod_uid: uid, result: outcome.ok ? 'successful' : 'failed' })
    metrics.probeSeconds.observe((clock.monotonic() - startedMs) / 1000, labels)
    return outcome
  }

  /** Once a container is started, its other probes begin at once instead of at their next turn. */
  #changed(type: ProbeType, containerId: string): void {
    const probes = this.#probes.get(containerId)
    if (type === 'startup' && probes?.get('startup')?.result === 'success') {
      probes.get('readiness')?.runSoon()
      probes.get('liveness')?.runSoon()
    }
    this.#onChange()
  }

  #knownStatus(name: string, containerId: string): { readonly ready: boolean; readonly started: boolean } | undefined {
    const { containerStatuses = [], initContainerStatuses = [] } = this.#pod?.status ?? {}
    const status = [...containerStatuses, ...initContainerStatuses].find((candidate) => candidate.name === name)
    if (!status?.containerID?.endsWith(`//${containerId}`)) return undefined
    return { ready: status.ready, started: status.started === true }
  }

  #report(name: string, type: ProbeType, message: string): void {
    const title = capitalized(type)
    if (this.#pod === undefined) return
    containerEvents(this.#options.events, this.#pod, name)('Warning', 'Unhealthy', `${title} probe failed: ${message}`)
  }
}

function capitalized(type: ProbeType): string {
  return type.charAt(0).toUpperCase() + type.slice(1)
}

function specOf(container: Container, type: ProbeType): Probe | undefined {
  const probes = {
    startup: container.startupProbe,
    liveness: container.livenessProbe,
    readiness: container.readinessProbe,
  }
  return probes[type]
}

type ProbeResult = 'success' | 'failure' | 'unknown'

function initialResult(
  type: ProbeType,
  known: { readonly ready: boolean; readonly started: boolean } | undefined,
): ProbeResult {
  if (known === undefined) return 'unknown'
  if (type === 'readiness') return known.ready ? 'success' : 'unknown'
  return type === 'startup' && known.started ? 'success' : 'unknown'
}

interface ContainerProbeOptions extends Pick<ProbersOptions, 'clock' | 'random'> {
  readonly spec: Probe
  readonly type: ProbeType
  readonly startedAtMs: number
  readonly initial: ProbeResult
  readonly mayRun: () => boolean
  readonly attempt: () => Promise<{ readonly ok: boolean; readonly message: string }>
  readonly report: (message: string) => void
  readonly changed: () => void
}

/** One probe of one container: tries it every period and turns tries into a result by the thresholds. */
class ContainerProbe {
  readonly #options: ContainerProbeOptions
  #result: ProbeResult
  #streak = 0
  #lastOk: boolean | undefined
  #timer: Timer | undefined
  #stopped = false
  #busy = false

  constructor(options: ContainerProbeOptions) {
    this.#options = options
    this.#result = options.initial
  }

  get result(): ProbeResult {
    return this.#result
  }

  start(): void {
    const { clock, spec, startedAtMs } = this.#options
    const dueMs = startedAtMs + (spec.initialDelaySeconds ?? 0) * 1000
    this.#schedule(Math.max(0, dueMs - clock.now()))
  }

  runSoon(): void {
    const { clock, spec, startedAtMs } = this.#options
    this.#schedule(Math.max(0, startedAtMs + (spec.initialDelaySeconds ?? 0) * 1000 - clock.now()))
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return
    this.#timer?.cancel()
    this.#timer = this.#options.clock.schedule(delayMs, () => void this.#try())
  }

  async #try(): Promise<void> {
    if (this.#busy || this.#stopped) return
    const { mayRun, attempt, spec, type } = this.#options
    const isOver = type === 'startup' && this.#result === 'success'
    if (isOver) return
    if (mayRun()) {
      this.#busy = true
      const outcome = await attempt()
      this.#busy = false
      if (this.#stopped) return
      this.#count(outcome)
    }
    this.#schedule((spec.periodSeconds ?? 10) * 1000)
  }

  #count({ ok, message }: { readonly ok: boolean; readonly message: string }): void {
    const { spec, report, changed } = this.#options
    if (!ok) report(message)
    this.#streak = ok === this.#lastOk ? this.#streak + 1 : 1
    this.#lastOk = ok
    const threshold = ok ? (spec.successThreshold ?? 1) : (spec.failureThreshold ?? 3)
    if (this.#streak < threshold) return
    const result: ProbeResult = ok ? 'success' : 'failure'
    if (result === this.#result) return
    this.#result = result
    changed()
  }
}
