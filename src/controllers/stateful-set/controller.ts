import { isDeepStrictEqual } from 'node:util'
import { isPodTerminal, podCondition } from '#api/core/v1/pod-facts.ts'
import { matcherOf } from '#api/meta/labels.ts'
import { splitKey } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { ControllerRevision, StatefulSet } from '#api/types/apps.v1.ts'
import type { Pod } from '#api/types/core.v1.ts'
import { controllerRevisions, persistentVolumeClaims, pods, statefulSets } from '#api/types/resources.ts'
import { defineController, watchOf, type ControllerContext, type ReconcileResult } from '#reconcile/controller.ts'
import { applyClaims } from '../apply-claims.ts'
import { withoutZeros } from '../counts.ts'
import { candidatesFor, decideClaims, ownerKeys, type OwnerKind } from '../owned-objects.ts'
import { isNamespaceTerminating, messageOf } from '../pod-from-template.ts'
import { HashCollision, syncHistory, trimHistory, type History } from '../revision-history.ts'
import { ensureClaims, keepClaimOwners } from './claims.ts'
import { decideStatefulStatus, decideStep, spentAtMs, type StatefulView } from './decide.ts'
import { firstOrdinal, ordinalOf, podName, revisionNameOf, statefulPod } from './identity.ts'

const owner: OwnerKind<StatefulSet> = { resource: statefulSets, matcherOf: (set) => matcherOf(set.spec.selector) }

/** Keeps pods with a name, a place in a row and storage of their own. */
export const statefulSetController = defineController({
  name: 'statefulset-controller',
  watches: [
    watchOf(statefulSets),
    watchOf(pods, ownerKeys(owner) as never),
    watchOf(controllerRevisions, ownerKeys(owner) as never),
    watchOf(persistentVolumeClaims, () => []),
  ],
  writes: [
    { resource: pods, verbs: ['create', 'delete', 'patch'] },
    { resource: persistentVolumeClaims, verbs: ['create', 'update'] },
    { resource: controllerRevisions, verbs: ['create', 'patch', 'delete', 'get'] },
    { resource: statefulSets, verbs: ['get'] },
    { resource: statefulSets, subresource: 'status', verbs: ['update'] },
  ],
  reconcile,
})

async function reconcile(key: string, context: ControllerContext): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const { namespace, name } = splitKey(key)
  const set = informers.of(statefulSets).get(name, namespace)
  if (set === undefined) return
  const claims = decideClaims(set, owner.matcherOf(set), candidatesFor(informers.of(pods), set))
  const named = { ...claims, adopt: claims.adopt.filter((pod) => ordinalOf(set, pod) !== undefined) }
  const owned = await applyClaims(context, { owner: statefulSets, dependent: pods }, set, named)
  const history = await historyOf(context, set)
  if (history === undefined) return
  const view = viewOf(set, owned, history, clock.now())
  await applyStep(context, view, history)
  await writeStatus(context, view)
  const limit = set.spec.revisionHistoryLimit ?? 10
  const inUse = new Set([view.currentRevision, ...owned.map(revisionNameOf)])
  await trimHistory(context, history, { limit, isInUse: ({ metadata }) => inUse.has(metadata.name) })
  const waitMs = nextLookMs(view)
  return waitMs === undefined ? undefined : { requeueAfterMs: waitMs }
}

function viewOf(set: StatefulSet, owned: readonly Pod[], { current, all }: History, nowMs: number): StatefulView {
  const updateRevision = current.metadata.name
  const known = set.status?.currentRevision
  const isKept = all.some(({ metadata }) => metadata.name === known)
  return { set, pods: owned, currentRevision: isKept && known ? known : updateRevision, updateRevision, nowMs }
}

/** Undefined after a hash collision: the status that was written brings the key back. */
async function historyOf(context: ControllerContext, set: StatefulSet): Promise<History | undefined> {
  const collisionCount = set.status?.collisionCount
  try {
    return await syncHistory(context, { kind: owner, owner: set, template: set.spec.template, collisionCount })
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    if (!(error instanceof HashCollision)) throw error
    const status = { replicas: 0, ...set.status, collisionCount: (collisionCount ?? 0) + 1 }
    await context.client.resource(statefulSets, set.metadata.namespace).updateStatus({ ...set, status })
    return undefined
  }
}

async function applyStep(context: ControllerContext, view: StatefulView, history: History): Promise<void> {
  const { set } = view
  const step = decideStep(view)
  const end = firstOrdinal(set) + (set.spec.replicas ?? 1)
  for (const pod of view.pods) {
    const ordinal = ordinalOf(set, pod)
    if (ordinal === undefined || set.metadata.deletionTimestamp !== undefined) continue
    const isCondemned = ordinal < firstOrdinal(set) || ordinal >= end
    await keepClaimOwners(context, set, pod, { ordinal, isCondemned })
  }
  for (const pod of step.delete) await remove(context, set, pod)
  for (const { ordinal, revision } of step.create) {
    const made = history.all.find(({ metadata }) => metadata.name === revision) ?? history.current
    if (!(await create(context, set, ordinal, made))) return
  }
}

/** False when the namespace is going away. */
async function create(
  context: ControllerContext,
  set: StatefulSet,
  ordinal: number,
  revision: ControllerRevision,
): Promise<boolean> {
  const { client, events } = context
  const name = podName(set, ordinal)
  const what = `create Pod ${name} in StatefulSet ${set.metadata.name}`
  try {
    await ensureClaims(context, set, name, ordinal)
    await client.resource(pods, set.metadata.namespace).create(statefulPod(set, ordinal, revision))
    events.record(set, 'Normal', 'SuccessfulCreate', `${what} successful`)
    return true
  } catch (error) {
    if (isNamespaceTerminating(error)) return false
    events.record(set, 'Warning', 'FailedCreate', `${what} failed error: ${messageOf(error)}`)
    throw error
  }
}

async function remove(context: ControllerContext, set: StatefulSet, pod: Pod): Promise<void> {
  const { client, events } = context
  const { name, namespace, uid } = pod.metadata
  if (isPodTerminal(pod)) tellOfEnd(context, set, pod)
  const what = `delete Pod ${name} in StatefulSet ${set.metadata.name}`
  try {
    await client.resource(pods, namespace).delete(name, { preconditions: { uid } })
    events.record(set, 'Normal', 'SuccessfulDelete', `${what} successful`)
  } catch (error) {
    if (isStatusError(error, 'NotFound', 'Conflict')) return
    events.record(set, 'Warning', 'FailedDelete', `${what} failed error: ${messageOf(error)}`)
    throw error
  }
}

function tellOfEnd({ events }: ControllerContext, set: StatefulSet, { metadata, status }: Pod): void {
  const isFailed = status?.phase === 'Failed'
  const { name, namespace } = set.metadata
  const what = `StatefulSet ${namespace}/${name} is recreating ${isFailed ? 'failed' : 'terminated'} Pod ${metadata.name}`
  if (isFailed) events.record(set, 'Warning', 'RecreatingFailedPod', what)
  else events.record(set, 'Normal', 'RecreatingTerminatedPod', what)
}

async function writeStatus({ client }: ControllerContext, view: StatefulView): Promise<void> {
  const { set } = view
  const status = decideStatefulStatus(view)
  if (isDeepStrictEqual(withoutZeros(set.status ?? {}), withoutZeros(status))) return
  await client.resource(statefulSets, set.metadata.namespace).updateStatus({ ...set, status })
}

/** Milliseconds until a ready pod becomes available, or one that has ended may be made anew. */
function nextLookMs({ set, pods, nowMs }: StatefulView): number | undefined {
  const minReadyMs = (set.spec.minReadySeconds ?? 0) * 1_000
  const dueMs = pods.map((pod) => {
    if (isPodTerminal(pod)) return spentAtMs(pod)
    const ready = podCondition(pod, 'Ready')
    return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') + minReadyMs : Number.NaN
  })
  const waits = dueMs.map((due) => due - nowMs).filter((wait) => wait > 0)
  return waits.length === 0 ? undefined : Math.min(...waits)
}
