import { allContainers, isSidecar } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerStatus } from '../cri/container.ts'
import { containerEvents } from './container-events.ts'
import { graceAnnotation } from './labels.ts'
import { runHook } from './lifecycle-hook.ts'
import type { WorkerContext } from './worker-context.ts'

/** A container gets at least this long after its preStop hook has used up the rest. */
const minimumGraceSeconds = 2

export interface StopInput {
  readonly pod: Pod
  readonly running: readonly ContainerStatus[]
  readonly graceSeconds: number
  readonly podIp: string
}

/**
 * Stops containers as the pod lifecycle prescribes: the main ones at once, then the sidecars in the reverse order of
 * their start, all within one grace period.
 */
export async function stopContainers(context: WorkerContext, input: StopInput): Promise<void> {
  const deadlineMs = context.clock.monotonic() + input.graceSeconds * 1000
  const specs = allContainers(input.pod.spec)
  const specOf = ({ name }: ContainerStatus): Container | undefined =>
    specs.find((container) => container.name === name)
  const isSidecarRun = (run: ContainerStatus): boolean => {
    const spec = specOf(run)
    return spec !== undefined && isSidecar(spec) && (input.pod.spec.initContainers?.includes(spec) ?? false)
  }
  const stop = (run: ContainerStatus): Promise<void> => {
    const remainingSeconds = Math.max(0, (deadlineMs - context.clock.monotonic()) / 1000)
    const spec = specOf(run)
    containerEvents(context.events, input.pod, run.name)('Normal', 'Killing', `Stopping container ${run.name}`)
    return stopContainer(context, {
      pod: input.pod,
      podIp: input.podIp,
      run,
      graceSeconds: remainingSeconds,
      ...(spec && { spec }),
    })
  }
  await Promise.all(input.running.filter((run) => !isSidecarRun(run)).map(stop))
  const order = (input.pod.spec.initContainers ?? []).map(({ name }) => name)
  const sidecars = input.running.filter(isSidecarRun).sort((a, b) => order.indexOf(b.name) - order.indexOf(a.name))
  for (const run of sidecars) await stop(run)
}

export interface StopOneInput {
  readonly pod: Pod
  readonly spec?: Container
  readonly run: ContainerStatus
  readonly graceSeconds: number
  readonly podIp: string
  /** Gives up waiting; the container may still be stopping. */
  readonly signal?: AbortSignal
}

/** Runs the preStop hook, then asks the runtime to stop the container within what is left of the grace period. */
export async function stopContainer(context: WorkerContext, input: StopOneInput): Promise<void> {
  const startedMs = context.clock.monotonic()
  if (input.graceSeconds > 0 && input.spec?.lifecycle?.preStop) await runPreStop(context, input)
  const usedSeconds = (context.clock.monotonic() - startedMs) / 1000
  const left = input.graceSeconds === 0 ? 0 : Math.max(input.graceSeconds - usedSeconds, minimumGraceSeconds)
  await context.runtime.stopContainer(input.run.id, left, input.signal && { signal: input.signal })
}

async function runPreStop(
  context: WorkerContext,
  { pod, spec, run, graceSeconds, podIp }: StopOneInput,
): Promise<void> {
  const handler = spec?.lifecycle?.preStop
  if (spec === undefined || handler === undefined) return
  const stop = new AbortController()
  const hook = runHook(context, handler, {
    pod,
    container: spec,
    containerId: run.id,
    podIp,
    timeoutSeconds: Math.ceil(graceSeconds),
    signal: stop.signal,
  }).catch((error: unknown) => {
    if (stop.signal.aborted) return
    const text = error instanceof Error ? error.message : String(error)
    containerEvents(context.events, pod, run.name)('Warning', 'FailedPreStopHook', `PreStopHook failed: ${text}`)
  })
  // The hook may hang: the grace period goes on without it.
  await Promise.race([hook, context.clock.sleep(graceSeconds * 1000, stop.signal).catch(() => undefined)])
  stop.abort()
}

/** Grace of a container whose pod is not known any more: what the pod said when the container was made. */
export function recordedGraceSeconds(run: { readonly annotations: Readonly<Record<string, string>> }): number {
  const text = run.annotations[graceAnnotation]
  const seconds = text === undefined ? Number.NaN : Number(text)
  return Number.isFinite(seconds) ? seconds : 30
}
