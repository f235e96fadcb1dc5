import { matcherOf, matcherOfLabels } from '#api/meta/labels.ts'
import { controllerOf } from '#api/meta/owner.ts'
import { splitKey } from '#api/meta/resource.ts'
import type { ReplicaSet } from '#api/types/apps.v1.ts'
import type { Pod, ReplicationController } from '#api/types/core.v1.ts'
import { pods, replicaSets, replicationControllers } from '#api/types/resources.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { applyClaims } from '../apply-claims.ts'
import { candidatesFor, controlledBy, decideClaims, ownerKeys, type OwnerKind } from '../owned-objects.ts'
import { createPod, deletePod, isNamespaceTerminating, messageOf, podFromTemplate } from '../pod-from-template.ts'
import { slowStart } from '../slow-start.ts'
import {
  decideReplicas,
  decideStatus,
  isSameStatus,
  nextAvailabilityMs,
  type ReplicaChanges,
  type ReplicaGoal,
} from './decide.ts'

/** The two kinds that keep a number of pods of one template running. */
type ReplicaOwner = ReplicaSet | ReplicationController

/** Keeps as many pods running as a ReplicaSet asks for. */
export const replicaSetController = controllerFor<ReplicaSet>('replicaset-controller', {
  resource: replicaSets,
  matcherOf: (owner) => matcherOf(owner.spec.selector),
})

/** Keeps as many pods running as a ReplicationController asks for. */
export const replicationController = controllerFor<ReplicationController>('replication-controller', {
  resource: replicationControllers,
  matcherOf: (owner) => matcherOfLabels(owner.spec?.selector ?? owner.spec?.template?.metadata?.labels),
})

function controllerFor<T extends ReplicaOwner>(name: string, kind: OwnerKind<T>): Controller {
  return defineController({
    name,
    ...(name === 'replication-controller' && { queueName: 'replicationmanager' }),
    watches: [watchOf(kind.resource), watchOf(pods, ownerKeys(kind) as never)],
    writes: [
      { resource: pods, verbs: ['create', 'delete', 'patch'] },
      { resource: kind.resource, verbs: ['get'] },
      { resource: kind.resource, subresource: 'status', verbs: ['update'] },
    ],
    reconcile: (key, context) => reconcile(kind, key, context),
  })
}

async function reconcile<T extends ReplicaOwner>(
  kind: OwnerKind<T>,
  key: string,
  context: ControllerContext,
): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const { namespace, name } = splitKey(key)
  const owner = informers.of(kind.resource).get(name, namespace)
  if (owner === undefined) return
  const goal = goalOf(owner)
  const candidates = candidatesFor(informers.of(pods), owner)
  const claims = decideClaims(owner, kind.matcherOf(owner), candidates)
  const owned = await applyClaims(context, { owner: kind.resource, dependent: pods }, owner, claims)
  const changes = decideReplicas(goal, owned, () => relatedPods(owner, owned, context), clock.now())
  const { failure, error } = await applyChanges(context, owner, changes)
  const nowMs = clock.now()
  const { status: old } = owner
  const status = decideStatus({ goal, generation: owner.metadata.generation, old, owned, failure, nowMs })
  if (!isSameStatus(old, status))
    await context.client.resource(kind.resource, namespace).updateStatus({ ...owner, status })
  if (error !== undefined) throw error
  const requeueAfterMs = nextAvailabilityMs(goal, owned, nowMs)
  return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
}

function goalOf({ metadata, spec }: ReplicaOwner): ReplicaGoal {
  return {
    replicas: spec?.replicas ?? 1,
    minReadySeconds: spec?.minReadySeconds ?? 0,
    templateLabels: spec?.template?.metadata?.labels ?? {},
    isLeaving: metadata.deletionTimestamp !== undefined,
  }
}

/** The pods of all ReplicaSets that the same Deployment controls: scaling down spreads over nodes for the whole of it. */
function relatedPods(owner: ReplicaOwner, owned: readonly Pod[], { informers }: ControllerContext): readonly Pod[] {
  const parent = controllerOf(owner)
  if (parent === undefined) return owned
  const siblings = controlledBy(informers.of(replicaSets), parent.uid)
  return siblings.flatMap((sibling) => controlledBy(informers.of(pods), sibling.metadata.uid))
}

async function applyChanges(context: ControllerContext, owner: ReplicaOwner, changes: ReplicaChanges) {
  const template = owner.spec?.template
  if (changes.create > 0 && template !== undefined) {
    const pod = podFromTemplate(owner, template)
    const { error } = await slowStart(changes.create, async () => void (await createPod(context, owner, pod)))
    if (isNamespaceTerminating(error)) return { error: undefined, failure: undefined }
    return { error, failure: failureOf('FailedCreate', error) }
  }
  const results = await Promise.allSettled(changes.delete.map((pod) => deletePod(context, owner, pod)))
  const error: unknown = results.find((result) => result.status === 'rejected')?.reason
  return { error, failure: failureOf('FailedDelete', error) }
}

function failureOf<Reason extends string>(
  reason: Reason,
  error: unknown,
): { reason: Reason; message: string } | undefined {
  return error === undefined ? undefined : { reason, message: messageOf(error) }
}
