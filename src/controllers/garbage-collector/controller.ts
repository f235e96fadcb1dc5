import type { KubernetesObject, Resource } from '#api/meta/resource.ts'
import { isStatusError } from '#api/meta/status.ts'
import type { OwnerReference } from '#api/types/meta.v1.ts'
import { LruMap } from '#lib/lru-map.ts'
import {
  defineController,
  watchOf,
  type Controller,
  type ControllerContext,
  type Watch,
} from '#reconcile/controller.ts'
import type { Catalog } from '#api/schema/catalog.ts'
import { followCollections } from '../served-resources.ts'
import {
  blocks,
  decideFate,
  deletionStage,
  foregroundFinalizer,
  orphanFinalizer,
  type DeletionPolicy,
  type OwnerState,
} from './decide.ts'
import { ObjectGraph, type Located } from './object-graph.ts'

/** Owners known to be gone, so that a thousand dependents of one owner cost one question to the server. */
const rememberedAbsences = 500

/** What one run of the collector knows. */
interface Collector {
  readonly graph: ObjectGraph
  /** By uid and namespace of the dependent, which is where the owner was looked for. */
  readonly absent: LruMap<string, true>
}

/** Deletes what its last owner has left behind, and lets owners go in the order their deletion asked for. */
export function garbageCollector(catalog: Catalog): Controller {
  let collector: Collector | undefined
  return defineController({
    name: 'generic-garbage-collector',
    queueName: 'garbage_collector_attempt_to_delete',
    watches: [],
    watchMore(context, watch) {
      collector = { graph: new ObjectGraph(context.informers), absent: new LruMap(rememberedAbsences) }
      followAll(collector, { catalog, context, watch })
    },
    writes: [{ resource: { group: '*', plural: '*' }, verbs: ['get', 'patch', 'update', 'delete'] }],
    concurrency: 20,
    reconcile: async (key, context) => {
      if (collector !== undefined) await reconcile(key, context, collector)
    },
  })
}

interface Following {
  readonly catalog: Catalog
  readonly context: ControllerContext
  readonly watch: (watch: Watch) => void
}

function followAll({ graph }: Collector, { catalog, context: { informers }, watch }: Following): void {
  const follow = (resource: Resource): void => {
    // Events refer to objects, but nothing owns them and they expire by themselves.
    if (resource.plural === 'events' || !graph.follow(resource)) return
    const informer = informers.of(resource)
    const isGone = ({ metadata: { name, namespace, uid } }: KubernetesObject): boolean =>
      informer.get(name, namespace)?.metadata.uid !== uid
    watch(
      watchOf(resource, (object, _context, previous) => {
        const located = { resource, object }
        return isGone(object) ? keysOfGone(graph, located) : keysOfChanged(graph, located, previous)
      }),
    )
  }
  followCollections(catalog, informers, watch, follow)
}

function keysOfGone(graph: ObjectGraph, { object }: Located): readonly string[] {
  return [...graph.dependentsOf(object.metadata.uid).map(keyOfLocated), ...waitingOwners(graph, object)]
}

/** The objects to look at after a change: most changes concern none. */
function keysOfChanged(
  graph: ObjectGraph,
  changed: Located,
  previous: KubernetesObject | undefined,
): readonly string[] {
  const { object } = changed
  const references = object.metadata.ownerReferences
  const keys: string[] = []
  if (deletionStage(object) !== 'none') keys.push(keyOfLocated(changed))
  else if (references !== undefined && references !== previous?.metadata.ownerReferences) {
    const namespace = object.metadata.namespace ?? ''
    const isSettled = references.every((reference) => {
      const owner = graph.ownerOf(reference, namespace)
      return owner !== undefined && deletionStage(owner) !== 'foreground'
    })
    if (!isSettled) keys.push(keyOfLocated(changed))
  }
  // A dependent that no longer blocks may be the last that its owner waited for.
  if (previous !== undefined && previous.metadata.ownerReferences !== references)
    keys.push(...waitingOwners(graph, previous))
  return keys
}

function waitingOwners(graph: ObjectGraph, { metadata }: KubernetesObject): readonly string[] {
  return (metadata.ownerReferences ?? []).flatMap((reference) => {
    const owner = graph.ownerOf(reference, metadata.namespace ?? '')
    const resource = graph.resourceOf(reference)
    if (owner === undefined || resource === undefined || deletionStage(owner) !== 'foreground') return []
    return [keyOfLocated({ resource, object: owner })]
  })
}

function keyOfLocated({ resource, object }: Located): string {
  return [resource.group, resource.plural, object.metadata.namespace ?? '', object.metadata.name].join('|')
}

async function reconcile(key: string, context: ControllerContext, collector: Collector): Promise<void> {
  const [group = '', plural = '', namespace = '', name = ''] = key.split('|')
  const located = collector.graph.find(group, plural, name, namespace)
  if (located === undefined) return
  switch (deletionStage(located.object)) {
    case 'orphaning':
      return orphan(located, context, collector)
    case 'foreground':
      return finishForeground(located, context, collector)
    default:
      if (located.object.metadata.deletionTimestamp === undefined) await attempt(located, context, collector)
  }
}

/** Cuts the dependents loose, then lets the object go. */
async function orphan(located: Located, context: ControllerContext, { graph }: Collector): Promise<void> {
  const { uid } = located.object.metadata
  for (const dependent of graph.dependentsOf(uid)) await disown(dependent, [uid], context)
  await removeFinalizer(located, orphanFinalizer, context)
}

/** Deletes what is left below the object; lets it go when nothing that blocks it is left. */
async function finishForeground(located: Located, context: ControllerContext, collector: Collector): Promise<void> {
  const { uid } = located.object.metadata
  const dependents = collector.graph.dependentsOf(uid)
  if (!dependents.some(({ object }) => blocks(object, uid)))
    return removeFinalizer(located, foregroundFinalizer, context)
  for (const dependent of dependents) {
    if (dependent.object.metadata.deletionTimestamp === undefined) await attempt(dependent, context, collector)
  }
}

/** Looks at an object by its owners: keeps it, takes references from it, or deletes it. */
async function attempt(located: Located, context: ControllerContext, collector: Collector): Promise<void> {
  const { object } = located
  const references = object.metadata.ownerReferences ?? []
  if (references.length === 0) return
  const owners = await Promise.all(references.map((reference) => ownerState(reference, located, context, collector)))
  const fate = decideFate(object, owners, () => collector.graph.dependentsOf(object.metadata.uid).length > 0)
  if (fate.type === 'disown') await disown(located, fate.uids, context)
  if (fate.type === 'delete') {
    if (fate.policy === 'Foreground') await unblockCycle(located, context, collector)
    await remove(located, fate.policy, context)
  }
}

async function ownerState(
  reference: OwnerReference,
  { object }: Located,
  context: ControllerContext,
  { graph, absent }: Collector,
): Promise<OwnerState> {
  const namespace = object.metadata.namespace ?? ''
  const resource = graph.resourceOf(reference)
  if (resource === undefined) return { reference, state: 'unknown' }
  if (resource.namespaced && namespace === '') {
    const message = `ownerRef [${reference.apiVersion}/${reference.kind}, name: ${reference.name}, uid: ${reference.uid}] is namespaced, but its dependent is not`
    context.events.record(object, 'Warning', 'OwnerRefInvalidNamespace', message)
    return { reference, state: 'unknown' }
  }
  const known = graph.ownerOf(reference, namespace)
  if (known !== undefined) return { reference, state: stateOf(known) }
  const memory = `${reference.uid} ${resource.namespaced ? namespace : ''}`
  if (absent.get(memory)) return { reference, state: 'absent' }
  // An informer may be behind: only the server itself can say that an owner is gone.
  const live = await readOwner(reference, resource, namespace, context)
  if (live !== undefined) return { reference, state: stateOf(live) }
  if (resource.namespaced) tellOfForeignOwner(reference, resource, object, context)
  absent.set(memory, true)
  return { reference, state: 'absent' }
}

/** An owner must be in the namespace of its dependents: one that is elsewhere counts as absent, which surprises people. */
function tellOfForeignOwner(
  { apiVersion, kind, name, uid }: OwnerReference,
  resource: Resource,
  object: KubernetesObject,
  { informers, events }: ControllerContext,
): void {
  const isElsewhere = informers
    .of(resource)
    .list()
    .some(({ metadata }) => metadata.uid === uid)
  if (!isElsewhere) return
  const { namespace } = object.metadata
  const message = `ownerRef [${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}] does not exist in namespace "${namespace}"`
  events.record(object, 'Warning', 'OwnerRefInvalidNamespace', message)
}

function stateOf(owner: KubernetesObject): 'present' | 'waiting' {
  return deletionStage(owner) === 'foreground' ? 'waiting' : 'present'
}

async function readOwner(
  reference: OwnerReference,
  resource: Resource,
  namespace: string,
  { client }: ControllerContext,
): Promise<KubernetesObject | undefined> {
  try {
    const owner = await client.resource(resource, namespace).get(reference.name)
    return owner.metadata.uid === reference.uid ? owner : undefined
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined
    throw error
  }
}

/** Two objects that own each other would wait for one another for ever: dependents already on their way stop blocking. */
async function unblockCycle(located: Located, context: ControllerContext, { graph }: Collector): Promise<void> {
  const { uid } = located.object.metadata
  for (const { resource, object } of graph.dependentsOf(uid)) {
    if (deletionStage(object) !== 'foreground' || !blocks(object, uid)) continue
    const ownerReferences = object.metadata.ownerReferences?.map((reference) => ({
      ...reference,
      blockOwnerDeletion: false,
    }))
    await patchMetadata({ resource, object }, { ownerReferences }, context)
  }
}

function disown(located: Located, uids: readonly string[], context: ControllerContext): Promise<void> {
  const kept = (located.object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.includes(uid))
  return patchMetadata(located, { ownerReferences: kept.length === 0 ? null : kept }, context)
}

function removeFinalizer(located: Located, finalizer: string, context: ControllerContext): Promise<void> {
  const finalizers = (located.object.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  return patchMetadata(located, { finalizers: finalizers.length === 0 ? null : finalizers }, context)
}

/** Guarded by the revision: the lists were made from what the informer shows, and replace what is there. */
async function patchMetadata(
  { resource, object }: Located,
  change: object,
  { client }: ControllerContext,
): Promise<void> {
  const { name, namespace, resourceVersion, uid } = object.metadata
  const patch = { metadata: { ...change, resourceVersion, uid } }
  await client.resource(resource, namespace).patch(name, { type: 'merge', patch }).catch(unlessGone)
}

async function remove(
  { resource, object }: Located,
  propagationPolicy: DeletionPolicy,
  { client }: ControllerContext,
): Promise<void> {
  const { name, namespace, uid, resourceVersion } = object.metadata
  const preconditions = { uid, resourceVersion }
  await client.resource(resource, namespace).delete(name, { preconditions, propagationPolicy }).catch(unlessGone)
}

function unlessGone(error: unknown): void {
  if (!isStatusError(error, 'NotFound')) throw error
}
