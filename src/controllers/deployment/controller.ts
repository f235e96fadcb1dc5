import { isDeepStrictEqual } from 'node:util'
import { matcherOf } from '#api/meta/labels.ts'
import { controllerOf } from '#api/meta/owner.ts'
import { splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { Deployment, DeploymentStatus, ReplicaSet } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { deployments, pods, replicaSets } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'
import { applyClaims } from '../apply-claims.ts'
import { withoutZeros } from '../counts.ts'
import { candidatesFor, controlledBy, decideClaims, ownerKeys, type OwnerKind } from '../owned-objects.ts'
import { numberIn } from './annotations.ts'
import { applyScaling } from './apply-scaling.ts'
import { oldSets, syncCurrent, type Rollout } from './current-replica-set.ts'
import { decideCleanup, decideRecreateGrow, decideRecreateShrink, decideRollingStep, oldPodsRun } from './decide.ts'
import { isRollingUpdate, revisionAnnotation } from '#api/apps/v1/deployment-facts.ts'
import { decideScaling, isScalingEvent } from './scale.ts'
import { decideStatus, isComplete, pauseConditions, stuckCheckMs, withProgress } from './status.ts'

const owner: OwnerKind<Deployment> = {
  resource: deployments,
  matcherOf: (deployment) => matcherOf(deployment.spec.selector),
}

/** Rolls deployments out: one ReplicaSet per template, scaled step by step. */
export const deploymentController = defineController({
  name: 'deployment-controller',
  watches: [watchOf(deployments), watchOf(replicaSets, ownerKeys(owner) as never), watchOf(pods, recreatedDeployment)],
  writes: [
    { resource: replicaSets, verbs: ['create', 'patch', 'delete', 'get'] },
    { resource: deployments, verbs: ['get'] },
    { resource: deployments, subresource: 'status', verbs: ['update'] },
  ],
  reconcile,
})

/** Pods matter only while a recreation waits for the old ones to end. */
function recreatedDeployment(pod: Pod, { informers }: ControllerContext): readonly string[] {
  const set = controllerOf(pod)
  const { namespace } = pod.metadata
  if (set?.kind !== 'ReplicaSet') return []
  const parent = informers.of(replicaSets).get(set.name, namespace)
  const name = parent && controllerOf(parent)?.name
  if (name === undefined) return []
  const deployment = informers.of(deployments).get(name, namespace)
  return deployment !== undefined && !isRollingUpdate(deployment) ? [`${namespace}/${name}`] : []
}

async function reconcile(key: string, context: ControllerContext): Promise<ReconcileResult | void> {
  const { informers, clock, events } = context
  const { namespace, name } = splitKey(key)
  const deployment = informers.of(deployments).get(name, namespace)
  if (deployment === undefined) return
  if (selectsEverything(deployment)) {
    events.record(
      deployment,
      'Warning',
      'SelectingAll',
      'This deployment is selecting all pods. A non-empty selector is required.',
    )
    return writeStatus(context, deployment, {
      ...deployment.status,
      observedGeneration: deployment.metadata.generation ?? 0,
    })
  }
  const claims = decideClaims(
    deployment,
    owner.matcherOf(deployment),
    candidatesFor(informers.of(replicaSets), deployment),
  )
  const sets = await applyClaims(context, { owner: deployments, dependent: replicaSets }, deployment, claims)
  const conditions = pauseConditions(deployment, clock.now())
  return roll(context, { deployment, sets, current: undefined, conditions })
}

function selectsEverything({ spec }: Deployment): boolean {
  const { matchLabels, matchExpressions } = spec.selector
  return Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0
}

async function roll(context: ControllerContext, start: Rollout): Promise<ReconcileResult | void> {
  const { deployment, sets } = start
  if (deployment.metadata.deletionTimestamp !== undefined) {
    return report(context, await syncCurrent(context, start, false), { isRolling: false })
  }
  if (deployment.spec.paused || isScalingEvent(deployment, sets)) return rescale(context, start)
  return isRollingUpdate(deployment) ? rollOn(context, start) : recreate(context, start)
}

async function rescale(context: ControllerContext, start: Rollout): Promise<ReconcileResult | void> {
  const synced = await syncCurrent(context, start, false)
  const { rollout } = await applyScaling(
    context,
    synced,
    decideScaling(start.deployment, synced.current, oldSets(synced)),
  )
  if (start.deployment.spec.paused) await cleanUp(context, rollout)
  return report(context, rollout, { isRolling: false })
}

async function rollOn(context: ControllerContext, start: Rollout): Promise<ReconcileResult | void> {
  const synced = await syncCurrent(context, start, true)
  if (synced.isStuck) return
  const step = decideRollingStep(start.deployment, synced.current, oldSets(synced))
  const { rollout, hasScaled } = await applyScaling(context, synced, step)
  if (!hasScaled && isRolledOut(rollout)) await cleanUp(context, rollout)
  return report(context, rollout, { isRolling: true })
}

async function recreate(context: ControllerContext, start: Rollout): Promise<ReconcileResult | void> {
  const found = await syncCurrent(context, start, false)
  const shrunk = await applyScaling(context, found, decideRecreateShrink(oldSets(found)))
  const ended = shrunk.rollout
  const runs = oldPodsRun(ended.current, oldSets(ended), podsOf(context, ended.sets))
  if (shrunk.hasScaled || runs) return report(context, ended, { isRolling: true })
  const synced = await syncCurrent(context, ended, true)
  if (synced.isStuck) return
  const { rollout } = await applyScaling(context, synced, decideRecreateGrow(start.deployment, synced.current))
  if (isRolledOut(rollout)) await cleanUp(context, rollout)
  return report(context, rollout, { isRolling: true })
}

function podsOf({ informers }: ControllerContext, sets: readonly ReplicaSet[]): readonly Pod[] {
  return sets.flatMap((set) => controlledBy(informers.of(pods), set.metadata.uid))
}

function isRolledOut({ deployment }: Rollout): boolean {
  return deployment.status !== undefined && isComplete(deployment, deployment.status)
}

async function cleanUp({ client }: ControllerContext, rollout: Rollout): Promise<void> {
  for (const { metadata } of decideCleanup(rollout.deployment, oldSets(rollout))) {
    const deleting = client.resource(replicaSets, metadata.namespace).delete(metadata.name)
    await deleting.catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error
    })
  }
}

async function report(
  context: ControllerContext,
  rollout: Rollout,
  { isRolling }: { readonly isRolling: boolean },
): Promise<ReconcileResult | void> {
  const { deployment, current, sets, conditions } = rollout
  const nowMs = context.clock.now()
  const counted = decideStatus(deployment, current, sets, conditions, nowMs)
  const status = isRolling ? withProgress(deployment, current, sets, counted, nowMs) : counted
  await writeStatus(context, deployment, status, numberIn(current?.metadata.annotations, revisionAnnotation))
  const requeueAfterMs = isRolling ? stuckCheckMs(deployment, status, nowMs) : undefined
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
}

/** Writes the status, and with it the revision the deployment is at, unless nothing differs. */
async function writeStatus(
  { client }: ControllerContext,
  deployment: Deployment,
  next: DeploymentStatus,
  revision?: number,
): Promise<void> {
  const status = withoutZeros(next)
  const { annotations, namespace } = deployment.metadata
  const isCurrent = revision === undefined || numberIn(annotations, revisionAnnotation) === revision
  if (isCurrent && isDeepStrictEqual(withoutZeros(deployment.status ?? {}), status)) return
  const marked = isCurrent ? annotations : { ...annotations, [revisionAnnotation]: String(revision) }
  const metadata = marked === undefined ? deployment.metadata : { ...deployment.metadata, annotations: marked }
  await client.resource(deployments, namespace).updateStatus({ ...deployment, metadata, status })
}
