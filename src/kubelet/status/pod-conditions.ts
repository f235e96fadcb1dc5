import { isSidecar } from '#api/core/v1/pod-facts.ts'
import { formatTime } from '#lib/clock.ts'
import type { ResizeCondition } from './pod-status-input.ts'
import { resizeConditions } from './status-patch.ts'
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '#api/types/core.v1.ts'

interface ConditionInput {
  readonly pod: Pod
  readonly phase: PodStatus['phase']
  readonly init: readonly ContainerStatus[]
  readonly main: readonly ContainerStatus[]
  /** The sandbox stands and has its network. */
  readonly isSandboxReady: boolean
  /** Why the node has thrown the pod out, if it has. */
  readonly disruption?: string
  readonly resize?: ResizeCondition
  /** All containers are being restarted; absent where that cannot happen. */
  readonly isRestartingAll?: boolean
  readonly nowMs: number
}

interface Verdict {
  readonly status: 'True' | 'False'
  readonly reason?: string
  readonly message?: string
}

/**
 * The conditions that the kubelet owns, then those of others as they stand. The time of a transition is kept while the
 * status stays.
 */
export function podConditions(input: ConditionInput): readonly PodCondition[] {
  const containersReady = containersReadyVerdict(input)
  const own: readonly (readonly [string, Verdict])[] = [
    ['PodReadyToStartContainers', { status: input.isSandboxReady ? 'True' : 'False' }],
    ['Initialized', initializedVerdict(input)],
    ['Ready', readyVerdict(input, containersReady)],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
    ...(input.isRestartingAll === undefined ? [] : [['AllContainersRestarting', restartingVerdict(input)] as const]),
    ...(input.resize ? [[input.resize.type, resizeVerdict(input.resize)] as const] : []),
    ...(input.disruption === undefined ? [] : [['DisruptionTarget', disruptionVerdict(input.disruption)] as const]),
  ]
  const known = input.pod.status?.conditions ?? []
  const foreign = known.filter(({ type }) => !resizeConditions.has(type) && !own.some(([name]) => name === type))
  return [...own.map(([type, verdict]) => condition(input, type, verdict)), ...foreign]
}

/** All containers start over in place (KEP-5532). */
function restartingVerdict({ phase, isRestartingAll }: ConditionInput): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  return { status: isRestartingAll === true ? 'True' : 'False' }
}

function resizeVerdict({ reason, message }: ResizeCondition): Verdict {
  return { status: 'True', reason, message }
}

function disruptionVerdict(message: string): Verdict {
  return { status: 'True', reason: 'TerminationByKubelet', message }
}

function condition({ pod, nowMs }: ConditionInput, type: string, verdict: Verdict): PodCondition {
  const before = pod.status?.conditions?.find((known) => known.type === type)
  const isSame = before?.status === verdict.status
  const { generation } = pod.metadata
  return {
    type,
    ...(generation !== undefined && { observedGeneration: generation }),
    ...verdict,
    lastTransitionTime: (isSame && before.lastTransitionTime) || formatTime(nowMs),
  }
}

function initializedVerdict({ pod, phase, init, main }: ConditionInput): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  // Once a main container has run, the pod was initialized; init containers may be gone since.
  const hasStarted = main.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated)
  const incomplete = (pod.spec.initContainers ?? []).filter((container) => {
    const status = init.find(({ name }) => name === container.name)
    if (isSidecar(container)) return status?.started !== true && !hasStarted
    return status?.ready !== true && !hasStarted
  })
  if (incomplete.length === 0) return { status: 'True' }
  const names = incomplete.map(({ name }) => name).join(' ')
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${names}]`,
  }
}

function containersReadyVerdict({ pod, phase, init, main }: ConditionInput): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar)
  const unready = [...sidecars, ...pod.spec.containers].filter(
    ({ name }) => ![...init, ...main].some((status) => status.name === name && status.ready),
  )
  if (unready.length === 0) return { status: 'True' }
  const message = `containers with unready status: [${unready.map(({ name }) => name).join(' ')}]`
  return { status: 'False', reason: 'ContainersNotReady', message }
}

function readyVerdict({ pod }: ConditionInput, containersReady: Verdict): Verdict {
  if (containersReady.status === 'False') return containersReady
  const complaints = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = pod.status?.conditions?.find(({ type }) => type === conditionType)
    if (gate === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    return gate.status === 'True'
      ? []
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`]
  })
  if (complaints.length === 0) return { status: 'True' }
  const message = complaints.length === 1 ? complaints.join() : `[${complaints.join(', ')}]`
  return { status: 'False', reason: 'ReadinessGatesNotReady', message }
}
