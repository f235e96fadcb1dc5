import { isSidecar } from '#api/core/v1/pod-facts.ts'
import type { Container, ContainerStatus, Pod, PodStatus } from '#api/types/core.v1.ts'
import { shouldRestart, shouldRestartInit } from '../pod-worker/restart-policy.ts'

export interface PhaseInput {
  readonly pod: Pod
  readonly init: readonly ContainerStatus[]
  readonly main: readonly ContainerStatus[]
  /** Nothing will be started again, whatever the restart policy says. */
  readonly isEnding: boolean
  /** Nothing of the pod runs any more, nor is about to. */
  readonly hasStopped: boolean
}

/** The pod's phase by the rules of the pod lifecycle documentation. */
export function podPhase({ pod, init, main, isEnding, hasStopped }: PhaseInput): NonNullable<PodStatus['phase']> {
  const progress = initProgress(pod, init)
  if (progress === 'failed') return 'Failed'
  const ended = main.filter(({ state }) => state?.terminated !== undefined)
  const running = main.filter(({ state }) => state?.running !== undefined)
  const neverRan = main.filter(
    ({ state, lastState }) => state?.waiting !== undefined && lastState?.terminated === undefined,
  )
  const allEnded = ended.length === main.length
  if (isEnding && running.length === 0 && (hasStopped || allEnded || progress === 'pending'))
    return endOf(progress === 'pending' ? init : main)
  if (progress === 'pending' && running.length === 0) return 'Pending'
  if (neverRan.length > 0) return 'Pending'
  if (allEnded && ended.every((status) => !runsAgain(pod, status))) return endOf(ended)
  return 'Running'
}

function endOf(ended: readonly ContainerStatus[]): 'Succeeded' | 'Failed' {
  return ended.length > 0 && ended.every(({ state }) => state?.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed'
}

function runsAgain(pod: Pod, status: ContainerStatus): boolean {
  const container = pod.spec.containers.find(({ name }) => name === status.name)
  const exitCode = status.state?.terminated?.exitCode ?? 0
  return container !== undefined && shouldRestart(pod.spec, container, exitCode)
}

/** How far the init containers are. A sidecar counts as done once it is started. */
export function initProgress(pod: Pod, statuses: readonly ContainerStatus[]): 'done' | 'pending' | 'failed' {
  let pending = false
  for (const container of pod.spec.initContainers ?? []) {
    const status = statuses.find(({ name }) => name === container.name)
    const outcome = isSidecar(container) ? sidecarProgress(status) : initContainerProgress(pod, container, status)
    if (outcome === 'failed') return 'failed'
    pending ||= outcome === 'pending'
  }
  return pending ? 'pending' : 'done'
}

function sidecarProgress(status: ContainerStatus | undefined): 'done' | 'pending' {
  const hasRun = status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined
  return status?.started === true || hasRun ? 'done' : 'pending'
}

function initContainerProgress(
  pod: Pod,
  container: Container,
  status: ContainerStatus | undefined,
): 'done' | 'pending' | 'failed' {
  const ended = status?.state?.terminated ?? (status?.state?.waiting && status.lastState?.terminated)
  if (ended === undefined) return 'pending'
  if (ended.exitCode === 0) return 'done'
  return shouldRestartInit(pod.spec, container, ended.exitCode) ? 'pending' : 'failed'
}
