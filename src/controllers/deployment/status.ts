import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '#api/types/apps.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { desiredReplicas, rollingLimits } from '#api/apps/v1/deployment-facts.ts'
import { progressDeadlineMs, replicasOf, sumOf } from './rollout-facts.ts'

type Conditions = readonly DeploymentCondition[]

/** A condition before its times are known. */
export type ConditionNews = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>

/** Puts a condition in its place. One of the same status and reason stays as it is, message and times included. */
export function putCondition(conditions: Conditions, news: ConditionNews, nowMs: number): Conditions {
  const old = findCondition(conditions, news.type)
  if (old !== undefined && old.status === news.status && old.reason === news.reason) return conditions
  return replaceCondition(conditions, news, nowMs)
}

/** As `putCondition`, but always refreshes `lastUpdateTime`: the progress deadline counts from it. */
function replaceCondition(conditions: Conditions, news: ConditionNews, nowMs: number): Conditions {
  const now = formatTime(nowMs)
  const old = findCondition(conditions, news.type)
  const since = old?.status === news.status ? (old.lastTransitionTime ?? now) : now
  const others = conditions.filter((condition) => condition.type !== news.type)
  return [...others, { ...news, lastUpdateTime: now, lastTransitionTime: since }]
}

export function findCondition(conditions: Conditions | undefined, type: string): DeploymentCondition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** The counts and the `Available` condition; `conditions` are the ones known so far. */
export function decideStatus(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  sets: readonly ReplicaSet[],
  conditions: Conditions,
  nowMs: number,
): DeploymentStatus {
  const available = sumOf(sets, (set) => set.status?.availableReplicas)
  const { generation } = deployment.metadata
  const collisionCount = deployment.status?.collisionCount
  const isAvailable = available >= desiredReplicas(deployment) - rollingLimits(deployment).maxUnavailable
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    replicas: sumOf(sets, (set) => set.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sumOf(sets, (set) => set.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumOf(sets, replicasOf) - available),
    terminatingReplicas: sumOf(sets, (set) => set.status?.terminatingReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: putCondition(conditions, isAvailable ? minimumAvailable : minimumUnavailable, nowMs),
  }
}

const minimumAvailable: ConditionNews = {
  type: 'Available',
  status: 'True',
  reason: 'MinimumReplicasAvailable',
  message: 'Deployment has minimum availability.',
}

const minimumUnavailable: ConditionNews = {
  type: 'Available',
  status: 'False',
  reason: 'MinimumReplicasUnavailable',
  message: 'Deployment does not have minimum availability.',
}

/** Adds what a rollout says about itself: `Progressing` and `ReplicaFailure`. */
export function withProgress(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  sets: readonly ReplicaSet[],
  status: DeploymentStatus,
  nowMs: number,
): DeploymentStatus {
  const progressed = progressConditions(deployment, current, status, nowMs)
  const failure = [current, ...sets].flatMap((set) => set?.status?.conditions ?? []).find(isReplicaFailure)
  const conditions =
    failure === undefined
      ? progressed.filter((condition) => condition.type !== 'ReplicaFailure')
      : putCondition(progressed, { ...failure, type: 'ReplicaFailure' }, nowMs)
  return { ...status, conditions }
}

function isReplicaFailure(condition: { readonly type: string }): boolean {
  return condition.type === 'ReplicaFailure'
}

function progressConditions(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  status: DeploymentStatus,
  nowMs: number,
): Conditions {
  const conditions = status.conditions ?? []
  if (progressDeadlineMs(deployment) === undefined) return conditions.filter(({ type }) => type !== 'Progressing')
  const known = findCondition(conditions, 'Progressing')
  const isRolledOut = status.replicas === status.updatedReplicas && known?.reason === 'NewReplicaSetAvailable'
  if (isRolledOut) return conditions
  const subject =
    current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`
  const news = (state: 'True' | 'False', reason: string, what: string): ConditionNews => {
    return { type: 'Progressing', status: state, reason, message: `${subject} ${what}` }
  }
  if (isComplete(deployment, status)) {
    return putCondition(conditions, news('True', 'NewReplicaSetAvailable', 'has successfully progressed.'), nowMs)
  }
  if (hasProgressed(deployment.status, status)) {
    return replaceCondition(conditions, news('True', 'ReplicaSetUpdated', 'is progressing.'), nowMs)
  }
  if (isTimedOut(deployment, known, nowMs)) {
    return putCondition(conditions, news('False', 'ProgressDeadlineExceeded', 'has timed out progressing.'), nowMs)
  }
  return conditions
}

/** All desired pods are of the current template and available, and no other pod is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = desiredReplicas(deployment)
  return (
    status.updatedReplicas === desired &&
    status.replicas === desired &&
    status.availableReplicas === desired &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function hasProgressed(old: DeploymentStatus | undefined, next: DeploymentStatus): boolean {
  const oldPods = (status: DeploymentStatus | undefined): number =>
    (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0)
  return (
    (next.updatedReplicas ?? 0) > (old?.updatedReplicas ?? 0) ||
    oldPods(next) < oldPods(old) ||
    (next.readyReplicas ?? 0) > (old?.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (old?.availableReplicas ?? 0)
  )
}

function isTimedOut(deployment: Deployment, progressing: DeploymentCondition | undefined, nowMs: number): boolean {
  if (progressing === undefined || progressing.reason === 'NewReplicaSetAvailable') return false
  if (progressing.reason === 'ProgressDeadlineExceeded') return true
  const deadlineMs = progressDeadlineMs(deployment)
  return deadlineMs !== undefined && Date.parse(progressing.lastUpdateTime ?? '') + deadlineMs < nowMs
}

/** Milliseconds until a rollout that makes no progress must be looked at again; undefined when no deadline runs. */
export function stuckCheckMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const deadlineMs = progressDeadlineMs(deployment)
  const progressing = findCondition(status.conditions, 'Progressing')
  if (deadlineMs === undefined || progressing === undefined || isComplete(deployment, status)) return undefined
  if (progressing.reason === 'ProgressDeadlineExceeded' || progressing.reason === 'NewReplicaSetAvailable')
    return undefined
  return Math.max(0, Date.parse(progressing.lastUpdateTime ?? '') + deadlineMs - nowMs) + 1_000
}

/** `Progressing` while a deployment is paused and when it is resumed, so that a pause never counts as being stuck. */
export function pauseConditions(deployment: Deployment, nowMs: number): Conditions {
  const conditions = deployment.status?.conditions ?? []
  if (progressDeadlineMs(deployment) === undefined) return conditions
  const progressing = findCondition(conditions, 'Progressing')
  if (progressing?.reason === 'ProgressDeadlineExceeded') return conditions
  const saysPaused = progressing?.reason === 'DeploymentPaused'
  const isPaused = deployment.spec.paused === true
  if (isPaused === saysPaused) return conditions
  const reason = isPaused ? 'DeploymentPaused' : 'DeploymentResumed'
  const message = isPaused ? 'Deployment is paused' : 'Deployment is resumed'
  return putCondition(conditions, { type: 'Progressing', status: 'Unknown', reason, message }, nowMs)
}
