import { allContainers, isSidecar } from '#api/core/v1/pod-facts.ts'
import type { Container, Pod } from '#api/types/core.v1.ts'
import type { ContainerStatus } from '../cri/container.ts'
import { containerEvents } from './container-events.ts'
import { graceAnnotation } from './labels.ts'
import { runHook } from './lifecycle-hook.ts'
import type { WorkerContext } from './worker-context.ts'

/** A container gets at least this long to end by itself, whatever has used up the rest. */
export const minimumGraceSeconds = 2

export interface StopInput {
  readonly pod: Pod
  readonly running: readonly ContainerStatus[]
  readonly graceSeconds: number
  readonly podIp: string
}

/**
 * Stops containers as the pod lifecycle prescribes, all within one grace period: the main ones at once, then the
 * sidecars in the reverse order of their start. All preStop hooks begin at once, those of sidecars too.
 */
export async function stopContainers(context: WorkerContext, input: StopInput): Promise<void> {
  const { pod, running, graceSeconds, podIp } = input
  const specs = allContainers(pod.spec)
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name)
  const deadline = context.clock.sleep(graceSeconds * 1000)
  /** By position among the sidecars. */
  const ends = new Map<number, Promise<void>>()
  const turnOf = ({ name }: ContainerStatus): number => sidecars.indexOf(name)
  /** Who comes later among the sidecars, and everybody else, goes first. */
  const turnComes = (turn: number): Promise<unknown> => {
    if (turn < 0) return Promise.resolve()
    const before = [...ends].filter(([other]) => other < 0 || other > turn).map(([, end]) => end)
    return Promise.race([Promise.allSettled(before), deadline])
  }
  const stop = (run: ContainerStatus): Promise<void> => {
    const spec = specs.find(({ name }) => name === run.name)
    containerEvents(context.events, pod, run.name)('Normal', 'Killing', `Stopping container ${run.name}`)
    const turn = () => turnComes(turnOf(run))
    return stopContainer(context, { pod, podIp, run, graceSeconds, turn, ...(spec && { spec }) })
  }
  const main = running.filter((run) => turnOf(run) < 0).map(stop)
  ends.set(
    -1,
    Promise.all(main).then(() => undefined),
  )
  const later = running.filter((run) => turnOf(run) >= 0).sort((a, b) => turnOf(b) - turnOf(a))
  for (const run of later) ends.set(turnOf(run), stop(run))
  await Promise.all(ends.values())
}

export interface StopOneInput {
  readonly pod: Pod
  readonly spec?: Container
  readonly run: Pick<ContainerStatus, 'id' | 'name'>
  readonly graceSeconds: number
  readonly podIp: string
  /** Asked after the hook: resolves when the container may be told to end. */
  readonly turn?: () => Promise<unknown>
  /** Gives up waiting; the container may still be stopping. */
  readonly signal?: AbortSignal
}

/** Runs the preStop hook, then asks the runtime to stop the container within what is left of the grace period. */
export async function stopContainer(context: WorkerContext, input: StopOneInput): Promise<void> {
  const startedMs = context.clock.monotonic()
  if (input.graceSeconds > 0 && input.spec?.lifecycle?.preStop) await runPreStop(context, input)
  await input.turn?.()
  const usedSeconds = (context.clock.monotonic() - startedMs) / 1000
  const left = Math.max(input.graceSeconds - usedSeconds, minimumGraceSeconds)
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
    context.log.warn('preStop hook failed', { pod: pod.metadata.name, container: run.name, error })
    // What the hook said may be a secret, and events are read by more people than pods are.
    containerEvents(context.events, pod, run.name)('Warning', 'FailedPreStopHook', 'PreStopHook failed')
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
