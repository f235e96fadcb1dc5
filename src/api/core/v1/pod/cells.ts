import { orNone } from '../../../meta/cells.ts'
import { ageOf, humanDuration } from '../../../meta/duration.ts'
import type { ContainerStatus, Pod } from '../../../types/core.v1.ts'
import { isPodReady, isPodTerminal, isSidecar, podCondition, podIps } from '../pod-facts.ts'

/** What `kubectl get pods` shows: name, ready, status, restarts, age; with `-o wide` also IP, node and gates. */
export function podCells(pod: Pod, nowMs: number): readonly unknown[] {
  const summary = summarize(pod)
  return [
    pod.metadata.name,
    `${summary.ready}/${summary.total}`,
    summary.status,
    restartsCell(summary, nowMs),
    ageOf(pod.metadata.creationTimestamp, nowMs),
    orNone(podIps(pod)[0]),
    orNone(pod.spec.nodeName),
    orNone(pod.status?.nominatedNodeName),
    readinessGatesCell(pod),
  ]
}

interface PodSummary {
  readonly ready: number
  readonly total: number
  readonly status: string
  readonly restarts: number
  /** Undefined when no container has restarted. */
  readonly lastRestartMs: number | undefined
}

interface InitSummary {
  /** `Init:…` while initialization is under way or has failed. */
  readonly status: string | undefined
  readonly readySidecars: number
  readonly statuses: readonly ContainerStatus[]
}

function summarize(pod: Pod): PodSummary {
  const { status, spec } = pod
  const total = (spec.containers ?? []).length + sidecarNames(pod).size
  const init = summarizeInit(pod)
  const started = init.status === undefined || podCondition(pod, 'Initialized')?.status === 'True'
  if (!started) {
    const own = { status: deletionStatus(pod) ?? init.status ?? '', ready: init.readySidecars, total }
    return { ...own, ...countRestarts(init.statuses) }
  }
  const sidecars = init.statuses.filter(({ name }) => sidecarNames(pod).has(name))
  const main = summarizeMain(pod, init.status ?? initialStatus(pod))
  return {
    status: deletionStatus(pod) ?? main.status,
    ready: init.readySidecars + main.ready,
    total,
    ...countRestarts([...sidecars, ...(status?.containerStatuses ?? [])]),
  }
}

function initialStatus(pod: Pod): string {
  const scheduled = podCondition(pod, 'PodScheduled')
  if (scheduled?.reason === 'SchedulingGated') return 'SchedulingGated'
  return pod.status?.reason || (pod.status?.phase ?? '')
}

function deletionStatus(pod: Pod): string | undefined {
  if (pod.metadata.deletionTimestamp === undefined) return undefined
  if (pod.status?.reason === 'NodeLost') return 'Unknown'
  return isPodTerminal(pod) ? undefined : 'Terminating'
}

function sidecarNames(pod: Pod): ReadonlySet<string> {
  return new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
}

/** Walks the init containers up to the first that is not done; only those visited count as restarted. */
function summarizeInit(pod: Pod): InitSummary {
  const sidecars = sidecarNames(pod)
  const statuses: ContainerStatus[] = []
  let readySidecars = 0
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    statuses.push(container)
    if (container.state?.terminated?.exitCode === 0) continue
    if (sidecars.has(container.name) && container.started === true) {
      if (container.ready) readySidecars++
      continue
    }
    const status = initStatus(container) ?? `Init:${index}/${(pod.spec.initContainers ?? []).length}`
    return { status, readySidecars, statuses }
  }
  return { status: undefined, readySidecars, statuses }
}

function initStatus({ state }: ContainerStatus): string | undefined {
  if (state?.terminated !== undefined) return `Init:${terminatedReason(state.terminated)}`
  const waiting = state?.waiting?.reason
  return waiting === undefined || waiting === '' || waiting === 'PodInitializing' ? undefined : `Init:${waiting}`
}

function terminatedReason(terminated: NonNullable<NonNullable<ContainerStatus['state']>['terminated']>): string {
  if (terminated.reason !== undefined && terminated.reason !== '') return terminated.reason
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`
}

/** The first container with something to tell decides; `Completed` gives way to one that still runs. */
function summarizeMain(pod: Pod, initial: string): { status: string; ready: number } {
  let status = initial
  let ready = 0
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated, running } = container.state ?? {}
    if (waiting?.reason) status = waiting.reason
    else if (terminated !== undefined) status = terminatedReason(terminated)
    else if (container.ready && running !== undefined) ready++
  }
  if (status === 'Completed' && ready > 0) status = isPodReady(pod) ? 'Running' : 'NotReady'
  return { status, ready }
}

function countRestarts(statuses: readonly ContainerStatus[]): Pick<PodSummary, 'restarts' | 'lastRestartMs'> {
  let restarts = 0
  let lastRestartMs: number | undefined
  for (const { restartCount, lastState } of statuses) {
    restarts += restartCount
    const finishedAt = lastState?.terminated?.finishedAt
    if (finishedAt === undefined || finishedAt === null) continue
    lastRestartMs = Math.max(lastRestartMs ?? 0, Date.parse(finishedAt))
  }
  return { restarts, lastRestartMs }
}

function restartsCell({ restarts, lastRestartMs }: PodSummary, nowMs: number): string {
  if (restarts === 0 || lastRestartMs === undefined) return `${restarts}`
  return `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)`
}

function readinessGatesCell(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const met = gates.filter(({ conditionType }) => podCondition(pod, conditionType)?.status === 'True')
  return `${met.length}/${gates.length}`
}
