import { isDeepStrictEqual } from 'node:util'
import { podCondition } from '#api/core/v1/pod-facts.ts'
import { matcherOf } from '#api/meta/labels.ts'
import { splitKey } from '#api/meta/resource.ts'
import type { DaemonSet } from '#api/types/apps.v1.ts'
import type { Node, Pod } from '#api/types/core.v1.ts'
import { controllerRevisions, daemonSets, nodes, pods } from '#api/types/resources.ts'
import { backoffMs } from '#lib/backoff.ts'
import { LruMap } from '#lib/lru-map.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type ReconcileResult,
} from '#reconcile/controller.ts'
import { applyClaims } from '../apply-claims.ts'
import { withoutZeros } from '../counts.ts'
import { candidatesFor, decideClaims, ownerKeys, type OwnerKind } from '../owned-objects.ts'
import { createPod, deletePod, isNamespaceTerminating, podFromTemplate } from '../pod-from-template.ts'
import {
  HashCollision,
  hashOf,
  revisionHashLabel,
  syncHistory,
  trimHistory,
  type History,
} from '../revision-history.ts'
import { slowStart } from '../slow-start.ts'
import { decideDaemons, decideDaemonStatus, type DaemonView } from './decide.ts'
import { nodeNameOf, specForNode } from './placement.ts'

/** Most pods created in one round. */
const burst = 250
const generationAnnotation = 'deprecated.daemonset.template.generation'
const generationLabel = 'pod-template-generation'

const owner: OwnerKind<DaemonSet> = {
  resource: daemonSets,
  matcherOf: (daemonSet) => matcherOf(daemonSet.spec.selector),
}

/** How often pods of a DaemonSet have finished on a node, and until when no new one is made there. */
type Failures = LruMap<string, { count: number; untilMs: number }>

/** Runs one pod of every DaemonSet on each node it belongs on. */
export function daemonSetController(): Controller {
  const failures: Failures = new LruMap(10_000)
  return defineController({
    name: 'daemon-set-controller',
    eventSource: 'daemonset-controller',
    watches: [
      watchOf(daemonSets),
      watchOf(pods, ownerKeys(owner) as never),
      watchOf(controllerRevisions, ownerKeys(owner) as never),
      watchOf(nodes, daemonSetsOfNodeChange),
    ],
    writes: [
      { resource: pods, verbs: ['create', 'delete', 'patch'] },
      { resource: controllerRevisions, verbs: ['create', 'patch', 'delete', 'get'] },
      { resource: daemonSets, verbs: ['get'] },
      { resource: daemonSets, subresource: 'status', verbs: ['update'] },
    ],
    concurrency: 2,
    reconcile: (key, context) => reconcile(key, context, failures),
  })
}

/** Heartbeats change nothing for DaemonSets; labels and taints do. */
function daemonSetsOfNodeChange(node: Node, { informers }: ControllerContext, previous?: Node): readonly string[] {
  const isSame =
    previous !== undefined &&
    isDeepStrictEqual(node.metadata.labels, previous.metadata.labels) &&
    isDeepStrictEqual(node.spec?.taints, previous.spec?.taints)
  if (isSame) return []
  return informers
    .of(daemonSets)
    .list()
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
}

async function reconcile(key: string, context: ControllerContext, failures: Failures): Promise<ReconcileResult | void> {
  const { informers, clock } = context
  const { namespace, name } = splitKey(key)
  const daemonSet = informers.of(daemonSets).get(name, namespace)
  if (daemonSet === undefined || daemonSet.metadata.deletionTimestamp !== undefined) return
  const history = await historyOf(context, daemonSet)
  if (history === undefined) return
  const claims = decideClaims(daemonSet, owner.matcherOf(daemonSet), candidatesFor(informers.of(pods), daemonSet))
  const owned = await applyClaims(context, { owner: daemonSets, dependent: pods }, daemonSet, claims)
  const hash = hashOf(history.current) ?? ''
  const view: DaemonView = { daemonSet, nodes: informers.of(nodes).list(), pods: owned, hash, nowMs: clock.now() }
  const waitMs = await applyChanges(context, view, failures)
  const limit = daemonSet.spec.revisionHistoryLimit ?? 10
  await trimHistory(context, history, {
    limit,
    isInUse: (revision) => owned.some((pod) => hashOf(pod) === hashOf(revision)),
  })
  await writeStatus(context, view)
  const waits = [waitMs, nextAvailabilityMs(view)].filter((wait) => wait !== undefined)
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) }
}

/** Undefined after a hash collision: the status that was written brings the key back. */
async function historyOf(context: ControllerContext, daemonSet: DaemonSet): Promise<History | undefined> {
  const { template } = daemonSet.spec
  const collisionCount = daemonSet.status?.collisionCount
  try {
    return await syncHistory(context, { kind: owner, owner: daemonSet, template, collisionCount })
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    if (!(error instanceof HashCollision)) throw error
    const status = {
      ...decideDaemonStatus({ daemonSet, nodes: [], pods: [], hash: '', nowMs: 0 }),
      ...daemonSet.status,
    }
    const collection = context.client.resource(daemonSets, daemonSet.metadata.namespace)
    await collection.updateStatus({ ...daemonSet, status: { ...status, collisionCount: (collisionCount ?? 0) + 1 } })
    return undefined
  }
}

/** Milliseconds until a node where pods keep finishing may get the next. */
async function applyChanges(
  context: ControllerContext,
  view: DaemonView,
  failures: Failures,
): Promise<number | undefined> {
  const { daemonSet } = view
  const changes = decideDaemons(view)
  const waits = changes.finished.map((pod) => replaceFinished(context, view, pod, failures))
  const results = await Promise.allSettled([
    ...changes.delete.map((pod) => deletePod(context, daemonSet, pod)),
    ...waits,
  ])
  const names = changes.create.slice(0, burst)
  const { error } = await slowStart(names.length, async (index) => {
    await createPod(context, daemonSet, podForNode(view, names[index] as string))
  })
  if (error !== undefined && !isNamespaceTerminating(error)) throw error
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const delays = (await Promise.all(waits)).filter((wait) => wait !== undefined)
  return delays.length === 0 ? undefined : Math.min(...delays)
}

function podForNode({ daemonSet, hash }: DaemonView, nodeName: string) {
  const { template } = daemonSet.spec
  const pod = podFromTemplate(daemonSet, template)
  const generation = daemonSet.metadata.annotations?.[generationAnnotation]
  const labels = {
    ...pod.metadata.labels,
    [revisionHashLabel]: hash,
    ...(generation ? { [generationLabel]: generation } : {}),
  }
  return { ...pod, metadata: { ...pod.metadata, labels }, spec: specForNode(pod.spec, nodeName) }
}

/** Deletes a finished pod so that a new one takes its place, later and later if they keep finishing. */
async function replaceFinished(
  context: ControllerContext,
  { daemonSet }: DaemonView,
  pod: Pod,
  failures: Failures,
): Promise<number | undefined> {
  const { clock, events } = context
  const nodeName = nodeNameOf(pod) ?? ''
  const key = `${daemonSet.metadata.uid}/${daemonSet.metadata.generation}/${nodeName}`
  const nowMs = clock.monotonic()
  const known = failures.get(key) ?? { count: 0, untilMs: 0 }
  if (nowMs < known.untilMs) return known.untilMs - nowMs
  const count = known.count + 1
  failures.set(key, { count, untilMs: nowMs + backoffMs({ initialMs: 1_000, maxMs: 900_000 }, count) })
  const [reason, state] =
    pod.status?.phase === 'Failed' ? ['FailedDaemonPod', 'failed'] : ['SucceededDaemonPod', 'succeeded']
  const what = `Found ${state} daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${nodeName}, will try to ${state === 'failed' ? 'kill' : 'delete'} it`
  events.record(daemonSet, state === 'failed' ? 'Warning' : 'Normal', reason, what)
  await deletePod(context, daemonSet, pod)
  return undefined
}

function nextAvailabilityMs({ daemonSet, pods, nowMs }: DaemonView): number | undefined {
  const minReadyMs = (daemonSet.spec.minReadySeconds ?? 0) * 1_000
  if (minReadyMs <= 0) return undefined
  const waits = pods.flatMap((pod) => {
    const ready = podCondition(pod, 'Ready')
    if (ready?.status !== 'True' || ready.lastTransitionTime === undefined) return []
    const waitMs = Date.parse(ready.lastTransitionTime) + minReadyMs - nowMs
    return waitMs > 0 ? [waitMs] : []
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}

async function writeStatus({ client }: ControllerContext, view: DaemonView): Promise<void> {
  const { daemonSet } = view
  const status = decideDaemonStatus(view)
  const isSame =
    daemonSet.status !== undefined && isDeepStrictEqual(withoutZeros(daemonSet.status), withoutZeros(status))
  if (isSame) return
  await client.resource(daemonSets, daemonSet.metadata.namespace).updateStatus({ ...daemonSet, status })
}
