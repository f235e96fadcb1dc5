import type { Draft } from '#api/kind.ts'
import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { conflict, notFound } from '#api/meta/status.ts'
import { formatTime } from '#lib/clock.ts'
import { ConflictError } from '#storage/store.ts'
import { StoredObject } from '../cache/stored-object.ts'
import type { ResourceContext } from '../request-context.ts'
import { admitValidating, admitMutating } from './admit.ts'
import { behaviourOf } from './behaviours.ts'
import { deepCopy } from './deep-copy.ts'
import type { DeleteRequest } from './delete-options.ts'
import { findStored, served } from './read.ts'
import { storageKey } from './served-resource.ts'
import { prepareServed, prepareStored, toStored } from './stored-version.ts'
import { isGone } from './update-object.ts'

export interface Deletion {
  readonly object: KubernetesObject
  /** Whether the object is out of the store, and not only marked. */
  readonly isRemoved: boolean
}

const attempts = 5

/** Deletes the named object, or marks it where finalizers or its grace period hold it. Throws `NotFound`, `Conflict`. */
export async function deleteByName(context: ResourceContext, name: string, options: DeleteRequest): Promise<Deletion> {
  const { server, resource, info } = context
  await server.feed.current(context.request.signal)
  let stored = findStored(server, resource, info.namespace, name)
  for (let attempt = 1; ; attempt++) {
    if (stored === undefined) throw notFound({ group: resource.group, resource: resource.plural, name })
    try {
      return await attemptDelete(context, stored, options)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      if (attempt >= attempts) throw conflict({ group: resource.group, resource: resource.plural, name })
      const { current } = error
      stored = current && new StoredObject(current.key, current.modRevision, current.value, server.codec)
    }
  }
}

async function attemptDelete(
  context: ResourceContext,
  stored: StoredObject,
  options: DeleteRequest,
): Promise<Deletion> {
  const { server, resource } = context
  await prepareServed(resource, [stored.object])
  const old = served(resource, stored.object)
  behaviourOf(resource).beforeDelete?.(old)
  checkPreconditions(context, old, options)
  const subject = { operation: 'DELETE', object: undefined, oldObject: old, dryRun: options.dryRun } as const
  await admitMutating(context, subject)
  await admitValidating(context, subject)
  const marked = deepCopy(old)
  mark(context, marked, options)
  const object = marked as KubernetesObject
  const { name, namespace = '' } = old.metadata
  const key = storageKey(resource, namespace, name)
  const isRemoved = isGone(resource, object)
  const isGraceful = resource.rules.gracePeriodSeconds !== undefined
  if (isRemoved && !isGraceful) {
    if (!options.dryRun) {
      const claims = behaviourOf(resource).claims?.(context, undefined, old) ?? []
      await server.store.commit([{ key, delete: true, ifRevision: stored.revision }, ...claims])
    }
    return { object: old, isRemoved }
  }
  if (options.dryRun || isSameJson(object, old)) return { object, isRemoved }
  await prepareStored(resource, marked)
  const value = server.codec.encode(toStored(resource, marked))
  const { revision } = await server.store.commit([{ key, value, ifRevision: stored.revision }])
  // Watchers of a kind with graceful deletion see the end announced, even where no time is left before it.
  if (isRemoved) await server.store.commit([{ key, delete: true, ifRevision: revision }])
  const made = server.codec.decode(value, revision)
  await prepareServed(resource, [made])
  return { object: served(resource, made), isRemoved }
}

function checkPreconditions(
  { resource }: ResourceContext,
  { metadata }: KubernetesObject,
  options: DeleteRequest,
): void {
  const target = { group: resource.group, resource: resource.kind, name: metadata.name }
  const { uid, resourceVersion } = options
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      target,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). ` +
        'The object might have been deleted and then recreated',
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      target,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record ` +
        `(${metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

/** Sets the deletion timestamp and the finalizers of the propagation policy, as far as they are not set already. */
function mark({ server, resource }: ResourceContext, draft: Draft<KubernetesObject>, options: DeleteRequest): void {
  const { metadata } = draft
  const grace = graceOf(resource.rules.gracePeriodSeconds, draft as KubernetesObject, options)
  setPropagation(metadata, options)
  const before = metadata.deletionTimestamp
  if (before === undefined) {
    metadata.deletionTimestamp = formatTime(server.clock.now() + grace * 1_000)
    metadata.deletionGracePeriodSeconds = grace
    if ((metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation ?? 0) + 1
    behaviourOf(resource).onDeletion?.(draft)
    return
  }
  // A second deletion may only shorten the time that is left.
  const granted = metadata.deletionGracePeriodSeconds ?? 0
  if (grace >= granted) return
  metadata.deletionTimestamp = formatTime(Date.parse(before) - (granted - grace) * 1_000)
  metadata.deletionGracePeriodSeconds = grace
}

function graceOf(
  kindGrace: ((object: KubernetesObject, requestedSeconds?: number) => number) | undefined,
  object: KubernetesObject,
  { gracePeriodSeconds }: DeleteRequest,
): number {
  if (kindGrace === undefined) return 0
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata
  if (gracePeriodSeconds === undefined && deletionTimestamp !== undefined) return deletionGracePeriodSeconds ?? 0
  return kindGrace(object, gracePeriodSeconds)
}

const foreground = 'foregroundDeletion'
const orphan = 'orphan'

/** The garbage collector acts on these finalizers; one policy excludes the other. */
function setPropagation(metadata: Draft<KubernetesObject>['metadata'], { propagation }: DeleteRequest): void {
  if (propagation === undefined) return
  const others = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== foreground && finalizer !== orphan)
  const own = propagation === 'Foreground' ? [foreground] : propagation === 'Orphan' ? [orphan] : []
  const finalizers = [...others, ...own]
  if (finalizers.length > 0) metadata.finalizers = finalizers
  else delete metadata.finalizers
}
