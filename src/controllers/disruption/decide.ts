import { isPodReady } from '#api/core/v1/pod-facts.ts'
import { setCondition } from '#api/meta/conditions.ts'
import { percentOf, scaledValue } from '#api/meta/int-or-string.ts'
import type { Pod } from '#api/types/core.v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '#api/types/policy.v1.ts'
import { formatTime } from '#lib/clock.ts'

/** An eviction that was allowed but did not delete its pod within this time is forgotten. */
const deletionTimeoutMs = 120_000

export interface Expectation {
  /** Pods there would be if none were disrupted. */
  readonly expectedPods: number
  readonly desiredHealthy: number
}

/** Whether the budget's figures need the scale of what controls the pods. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec?.maxUnavailable !== undefined || percentOf(spec?.minAvailable) !== undefined
}

/** How many pods there should be and how many of them healthy. `scale` is the sum of the pods' controllers' replicas. */
export function decideExpectation({ spec }: PodDisruptionBudget, podCount: number, scale: number): Expectation {
  if (spec?.maxUnavailable !== undefined) {
    const desiredHealthy = Math.max(0, scale - scaledValue(spec.maxUnavailable, scale, 'up'))
    return { expectedPods: scale, desiredHealthy }
  }
  const { minAvailable } = spec ?? {}
  if (minAvailable === undefined) return { expectedPods: podCount, desiredHealthy: 0 }
  if (percentOf(minAvailable) === undefined) return { expectedPods: podCount, desiredHealthy: Number(minAvailable) }
  return { expectedPods: scale, desiredHealthy: scaledValue(minAvailable, scale, 'up') }
}

export interface Disruptions {
  /** Evictions under way, by pod name. */
  readonly disruptedPods: Readonly<Record<string, string>>
  /** Pods that were to be deleted and were not. */
  readonly overdue: readonly Pod[]
  /** Until the next one is overdue. */
  readonly waitMs: number | undefined
}

export function decideDisruptions(budget: PodDisruptionBudget, pods: readonly Pod[], nowMs: number): Disruptions {
  const known = budget.status?.disruptedPods ?? {}
  const disruptedPods: Record<string, string> = {}
  const overdue: Pod[] = []
  const waits: number[] = []
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const since = known[name]
    if (since === undefined || deletionTimestamp !== undefined) continue
    const leftMs = Date.parse(since) + deletionTimeoutMs - nowMs
    if (leftMs <= 0) overdue.push(pod)
    else {
      disruptedPods[name] = since
      waits.push(leftMs)
    }
  }
  return { disruptedPods, overdue, waitMs: waits.length === 0 ? undefined : Math.min(...waits) }
}

/** The status that pods, expectation and evictions under way make true. */
export function decideBudgetStatus(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  { expectedPods, desiredHealthy }: Expectation,
  { disruptedPods }: Disruptions,
  nowMs: number,
): PodDisruptionBudgetStatus {
  const currentHealthy = pods.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods) && isPodReady(pod),
  ).length
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
  const reason = disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods'
  return {
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    conditions: conditionsOf(budget, disruptionsAllowed > 0, { reason, message: '' }, nowMs),
    currentHealthy,
    desiredHealthy,
    disruptionsAllowed,
    expectedPods,
    observedGeneration: budget.metadata.generation,
  }
}

/** The status of a budget that cannot be reckoned: nothing may be disrupted. */
export function failedBudgetStatus(
  budget: PodDisruptionBudget,
  message: string,
  nowMs: number,
): PodDisruptionBudgetStatus {
  const conditions = conditionsOf(budget, false, { reason: 'SyncFailed', message }, nowMs)
  return { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...budget.status, disruptionsAllowed: 0, conditions }
}

function conditionsOf(
  { metadata, status }: PodDisruptionBudget,
  isAllowed: boolean,
  why: { readonly reason: string; readonly message: string },
  nowMs: number,
): NonNullable<PodDisruptionBudgetStatus['conditions']> {
  const now = formatTime(nowMs)
  const state = isAllowed ? 'True' : 'False'
  const observedGeneration = metadata.generation
  return setCondition(
    status?.conditions,
    { type: 'DisruptionAllowed', status: state, ...why, observedGeneration, lastTransitionTime: now },
    now,
  )
}

/** Milliseconds until a pod's mark of disruption is stale, because nobody deleted it; undefined for one without. */
export function staleDisruptionLeftMs({ metadata, status }: Pod, nowMs: number): number | undefined {
  const isDone = status?.phase === 'Succeeded' || status?.phase === 'Failed'
  if (metadata.deletionTimestamp !== undefined || isDone) return undefined
  const mark = status?.conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True')
  if (mark === undefined) return undefined
  return Date.parse(mark.lastTransitionTime ?? metadata.creationTimestamp) + deletionTimeoutMs - nowMs
}
