import { isSidecar } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod, Probe } from '#api/types/core.v1.ts'
import type { EventRecorder } from '#client/events.ts'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { ContainerStatus } from '../cri/container.ts'
import type { KubeletMetrics } from '../metrics/kubelet-metrics.ts'
import { containerEvents } from '../pod-worker/container-events.ts'
import { isRunning, latestContainer, type PodView } from '../pod-worker/pod-view.ts'
import { ContainerProbe, type ProbeResult } from './container-probe.ts'
import type { ProbeOutcome } from './probe-outcome.ts'
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

/** How often a try that goes wrong in itself is made before it counts as one. */
const maximumTries = 3

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
        // Those that were adopted must not all be probed at the moment the kubelet is back.
        firstDelayMs: known === undefined ? 0 : this.#options.random.next() * (spec.periodSeconds ?? 10) * 1000,
        mayRun: () => type === 'startup' || this.isStarted(container, run.id),
        attempt: () => this.#attempt(type, spec, { container, containerId: run.id, podIp }),
        changed: () => this.#changed(type, run.id),
      })
      probes.set(type, probe)
    }
    for (const probe of probes.values()) probe.start()
    return probes
  }

  /** One try, told by events and metrics; a try that goes wrong in itself is repeated at once. */
  async #attempt(type: ProbeType, spec: Probe, target: ProbeTarget): Promise<ProbeOutcome> {
    const { run, clock } = this.#options
    const startedMs = clock.monotonic()
    let outcome = await run(spec, target)
    for (let tries = 1; outcome.isError === true && tries < maximumTries; tries++) outcome = await run(spec, target)
    if (outcome.isError !== true) this.#count(type, outcome.ok, (clock.monotonic() - startedMs) / 1000, target)
    const [reason, text] = reportOf(outcome)
    if (reason !== undefined && this.#pod !== undefined)
      containerEvents(this.#options.events, this.#pod, target.container.name)(
        'Warning',
        reason,
        `${capitalized(type)} probe ${text}: ${outcome.message}`,
      )
    return outcome
  }

  #count(type: ProbeType, ok: boolean, seconds: number, { container }: ProbeTarget): void {
    const { metrics } = this.#options
    const { name = '', namespace = '', uid = '' } = this.#pod?.metadata ?? {}
    const labels = { container: container.name, namespace, pod: name, probe_type: capitalized(type) }
    metrics.probes.add({ ...labels, pod_uid: uid, result: ok ? 'successful' : 'failed' })
    if (ok) metrics.probeSeconds.observe(seconds, labels)
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
}

/** The reason of the event that a try calls for, and its words. */
function reportOf({ ok, message, isError }: ProbeOutcome): readonly [string | undefined, string] {
  if (isError === true) return ['Unhealthy', 'errored and resulted in unknown state']
  if (!ok) return ['Unhealthy', 'failed']
  return [message === '' ? undefined : 'ProbeWarning', 'warning']
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

function initialResult(
  type: ProbeType,
  known: { readonly ready: boolean; readonly started: boolean } | undefined,
): ProbeResult {
  if (known === undefined) return 'unknown'
  if (type === 'readiness') return known.ready ? 'success' : 'unknown'
  return type === 'startup' && known.started ? 'success' : 'unknown'
}
