import { computePodQosClass } from '#api/core/v1/pod-qos.ts'
import { formatTime } from '#lib/clock.ts'
import type { Container, PodStatus } from '#api/types/core.v1.ts'
import { currentSandbox, isRunning } from '../pod-worker/pod-view.ts'
import { couldRestartAll, isRestartingAll } from '../pod-worker/restart-all.ts'
import { containerStatusOf } from './container-status.ts'
import { podConditions } from './pod-conditions.ts'
import { initProgress, podPhase } from './pod-phase.ts'
import type { PodStatusInput } from './pod-status-input.ts'

/** The whole status of a pod as the kubelet sees it. Pure; times come from the input. */
export function podStatus(input: PodStatusInput): PodStatus {
  const { pod, failure, hostIps } = input
  const known = pod.status ?? {}
  if (failure && input.view.sandboxes.length === 0 && known.containerStatuses === undefined)
    return refusedStatus(input, failure)
  const statuses = (
    containers: readonly Container[] | undefined,
    role: 'init' | 'main' | 'ephemeral',
    isInitialized: boolean,
  ) => (containers ?? []).map((container) => containerStatusOf(input, container, { role, isInitialized }))
  const init = statuses(pod.spec.initContainers, 'init', false)
  const isInitialized = initProgress(pod, init) === 'done'
  const main = statuses(pod.spec.containers, 'main', isInitialized)
  const ephemeral = statuses(pod.spec.ephemeralContainers, 'ephemeral', true)
  const phase = phaseOf(input, init, main)
  const isSandboxReady = hasNetwork(input)
  const ips = podIpsOf(input)
  return {
    ...foreignParts(known),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: podConditions({
      pod,
      phase,
      init,
      main,
      isSandboxReady,
      nowMs: input.nowMs,
      ...(input.resize && { resize: input.resize }),
      ...(couldRestartAll(pod.spec) && { isRestartingAll: startsOver(input) }),
      ...(failure?.isDisruption && { disruption: failure.message }),
    }),
    ...failureParts((isHeldUp(input) ? undefined : failure) ?? (isTerminalPhase(known.phase) ? known : {})),
    ...(hostIps[0] !== undefined && { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(ips[0] !== undefined && { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    startTime: known.startTime ?? formatTime(input.startedAtMs),
    ...(init.length > 0 && { initContainerStatuses: init }),
    containerStatuses: main,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    ...resourceParts(input),
    qosClass: known.qosClass ?? computePodQosClass(pod.spec),
  }
}

/** What the pod as a whole was given (KEP-5419). */
function resourceParts({ givenToPod }: PodStatusInput): PodStatus {
  if (givenToPod === undefined) return {}
  const { requests, limits } = givenToPod
  return {
    ...(requests && { allocatedResources: requests }),
    resources: { ...(limits && { limits }), ...(requests && { requests }) },
  }
}

/** The node has not taken the pod: nothing of it ever was here. */
function refusedStatus({ pod, nowMs }: PodStatusInput, failure: NonNullable<PodStatusInput['failure']>): PodStatus {
  const known = pod.status ?? {}
  return {
    ...known,
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase: 'Failed',
    ...failureParts(failure),
    startTime: known.startTime ?? formatTime(nowMs),
    qosClass: known.qosClass ?? computePodQosClass(pod.spec),
  }
}

/** What other components write into the status and the kubelet leaves alone. */
function foreignParts(known: PodStatus): PodStatus {
  const { nominatedNodeName, resize, resourceClaimStatuses, extendedResourceClaimStatus } = known
  return {
    ...(nominatedNodeName !== undefined && { nominatedNodeName }),
    ...(resize !== undefined && { resize }),
    ...(resourceClaimStatuses !== undefined && { resourceClaimStatuses }),
    ...(extendedResourceClaimStatus !== undefined && { extendedResourceClaimStatus }),
  }
}

function failureParts({ reason, message }: Pick<PodStatus, 'reason' | 'message'>): PodStatus {
  return { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) }
}

function isTerminalPhase(phase: PodStatus['phase']): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed'
}

/** A pod counts as ended only once nothing of it runs, sidecars included: others wait for what it holds. */
function isHeldUp({ view }: PodStatusInput): boolean {
  return view.containers.some(isRunning)
}

/** A phase never goes back: what has finished stays finished. */
function phaseOf(
  input: PodStatusInput,
  init: NonNullable<PodStatus['initContainerStatuses']>,
  main: typeof init,
): NonNullable<PodStatus['phase']> {
  const known = input.pod.status?.phase
  if (isTerminalPhase(known)) return known
  const phase = input.failure ? 'Failed' : podPhase({ ...input, init, main })
  return isTerminalPhase(phase) && isHeldUp(input) ? (known ?? 'Pending') : phase
}

function startsOver({ pod, view, waiting, isEnding }: PodStatusInput): boolean {
  const isWaiting = [...waiting.values()].some(({ reason }) => reason === 'CrashLoopBackOff')
  return !isEnding && isRestartingAll(pod.spec, view, isWaiting)
}

function hasNetwork({ view }: PodStatusInput): boolean {
  const sandbox = currentSandbox(view)
  return sandbox !== undefined && sandbox.ready && (sandbox.hostNetwork || sandbox.ips.length > 0)
}

function podIpsOf({ pod, view, hostIps }: PodStatusInput): readonly string[] {
  const sandbox = currentSandbox(view)
  if (pod.spec.hostNetwork === true) return sandbox === undefined ? [] : hostIps
  if (sandbox !== undefined && sandbox.ips.length > 0) return sandbox.ips
  // A sandbox that was stopped has lost its address; the pod keeps showing the last one.
  return (pod.status?.podIPs ?? []).map(({ ip }) => ip)
}
