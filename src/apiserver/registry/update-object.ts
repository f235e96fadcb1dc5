import type { Draft } from '#api/kind.ts'
import { validateMetadata, validateMetadataUpdate } from '#api/meta/validate-metadata.ts'
import { isSameJson } from '#api/meta/merge-patch.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { StatusError, badRequest, conflict, invalid, notFound, type FieldError } from '#api/meta/status.ts'
import { formatTime } from '#lib/clock.ts'
import { ConflictError, type Entry } from '#storage/store.ts'
import { StoredObject } from '../cache/stored-object.ts'
import type { ResourceContext } from '../request-context.ts'
import { admitMutating, admitValidating } from './admit.ts'
import { behaviourOf } from './behaviours.ts'
import { applyDefaults } from './defaults.ts'
import { trackManagers } from './field-managers.ts'
import { finishLater } from './finish-later.ts'
import { findStored, served } from './read.ts'
import { metadataRules, storageKey, type ServedResource } from './served-resource.ts'
import { prepareServed, prepareStored, toStored } from './stored-version.ts'
import type { WriteOptions } from './write-options.ts'
import { storedValue } from './stored-value.ts'

export interface UpdateRequest {
  readonly context: ResourceContext
  readonly options: WriteOptions
  /** The wanted object, made from the current one; called again when somebody else wrote in between. */
  readonly change: (current: KubernetesObject) => Draft<KubernetesObject> | Promise<Draft<KubernetesObject>>
  /** Whether the change makes its own `managedFields`; else what the request changed is noted. */
  readonly managers?: 'track' | 'given'
  /** Which part may change. */
  readonly part: UpdatePart
}

/** The rules of the main resource and of each subresource that updates: what of the draft counts, what is checked. */
export interface UpdatePart {
  /** Whether the change leaves `metadata.generation` alone though it may touch the spec. */
  readonly keepsGeneration?: boolean
  /** Whether only `status` and `metadata` can change: what a patch leaves alone need not be read again. */
  readonly keepsUntouched?: boolean
  /**
   * Whether the server itself makes the change from the stored object: it has its defaults, and the request was admitted
   * as what it is.
   */
  readonly isOwnChange?: boolean
  /** Whether the writer is told what is unwise about the object. */
  readonly warns?: boolean
  readonly prepare: (
    resource: ServedResource,
    draft: Draft<KubernetesObject>,
    old: KubernetesObject,
    now: string,
  ) => void
  readonly validate: (
    resource: ServedResource,
    object: KubernetesObject,
    old: KubernetesObject,
    nowMs: number,
  ) => FieldError[]
}

/** How often a change is tried again on the newest state, if the client did not say which state it is for. */
const attempts = 5

/** Changes a stored object; answers it as stored. Throws `NotFound`, `Conflict`, `Invalid`. */
export async function updateObject(request: UpdateRequest): Promise<KubernetesObject> {
  const { context } = request
  const { feed } = context.server
  if (!feed.isCurrent) await feed.current(context.request.signal)
  let stored = findStored(context.server, context.resource, context.info.namespace, context.info.name)
  for (let attempt = 1; ; attempt++) {
    if (stored === undefined) throw notFound(targetOf(context))
    try {
      return await attemptUpdate(request, stored)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      if (attempt >= attempts) throw conflict(targetOf(context))
      if (error.key === stored.key) stored = error.current && entryObject(context, error.current)
      else {
        await feed.current(context.request.signal)
        stored = findStored(context.server, context.resource, context.info.namespace, context.info.name)
      }
    }
  }
}

function entryObject({ server }: ResourceContext, entry: Entry): StoredObject {
  return new StoredObject(entry.key, entry.modRevision, entry.value, server.codec)
}

export function targetOf({ resource, info }: ResourceContext): { group: string; resource: string; name: string } {
  return { group: resource.group, resource: resource.plural, name: info.name }
}

async function attemptUpdate(
  { context, options, change, managers, part }: UpdateRequest,
  stored: StoredObject,
): Promise<KubernetesObject> {
  const { resource } = context
  await prepareServed(resource, [stored.object])
  const old = served(resource, stored.object)
  const draft = await change(old)
  checkIdentity(context, draft, old)
  keepSystemFields(draft, old)
  if (part.isOwnChange !== true) applyDefaults(resource, draft)
  if (managers !== 'given') trackManagers(context, options, draft, old)
  part.prepare(resource, draft, old, formatTime(context.server.clock.now()))
  const subject = { operation: 'UPDATE', object: draft, oldObject: old, dryRun: options.dryRun } as const
  if (part.isOwnChange !== true) await admitMutating(context, subject)
  const finish = behaviourOf(resource).beforeUpdate?.(context, draft, old)
  try {
    return await validateAndSave({ context, options, part }, draft, stored)
  } finally {
    finishLater(context, finish)
  }
}

async function validateAndSave(
  { context, options, part }: Omit<UpdateRequest, 'change'>,
  draft: Draft<KubernetesObject>,
  stored: StoredObject,
): Promise<KubernetesObject> {
  const { resource } = context
  const old = served(resource, stored.object)
  if (part.keepsGeneration !== true) countGeneration(resource, draft, old)
  const object = draft as KubernetesObject
  const errors = validationErrors(context, part, object, old)
  if (errors.length > 0) throw invalid({ ...resource, name: draft.metadata.name }, errors)
  if (part.warns === true) context.warnings.push(...(resource.rules.warnings?.(object, old) ?? []))
  if (part.isOwnChange !== true) {
    await admitValidating(context, { operation: 'UPDATE', object: draft, oldObject: old, dryRun: options.dryRun })
  }
  if (isSameJson(draft, old)) return old
  if (options.dryRun) return object
  return save(context, draft, stored)
}

function validationErrors(
  { resource, server }: ResourceContext,
  part: UpdatePart,
  object: KubernetesObject,
  old: KubernetesObject,
): FieldError[] {
  const now = server.clock.now()
  if (part.isOwnChange === true && hasSameMarks(object.metadata, old.metadata)) {
    return part.validate(resource, object, old, now)
  }
  const metadataErrors = validateMetadataUpdate(object, old)
  return [
    // Upstream looks at the change of the metadata twice, and lists each cause twice.
    ...metadataErrors,
    ...validateMetadata(object, metadataRules(resource)),
    ...metadataErrors,
    ...part.validate(resource, object, old, now),
  ]
}

/** Whether the server's own change has left all alone that a client may have had a say in. */
function hasSameMarks(a: KubernetesObject['metadata'], b: KubernetesObject['metadata']): boolean {
  return a.labels === b.labels && a.annotations === b.annotations && a.uid === b.uid
}

/** The namespace and the name of the draft must be those of the request; a namespace left out is filled in. */
export function checkName({ resource, info }: ResourceContext, { metadata }: Draft<KubernetesObject>): void {
  if (resource.namespaced) metadata.namespace ||= info.namespace
  else delete metadata.namespace
  if (resource.namespaced && metadata.namespace !== info.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (!metadata.name) {
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
  }
  if (metadata.name !== info.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`)
  }
}

/** The draft must be the object it claims to replace. */
function checkIdentity(context: ResourceContext, draft: Draft<KubernetesObject>, old: KubernetesObject): void {
  checkName(context, draft)
  const { metadata } = draft
  const { resource, info } = context
  const wanted = metadata.resourceVersion ?? ''
  if (!/^\d*$/.test(wanted)) {
    throw new StatusError('', `strconv.ParseUint: parsing ${JSON.stringify(wanted)}: invalid syntax`)
  }
  if ((wanted === '' || wanted === '0') && resource.rules.requiresResourceVersion === true) {
    const message = 'Invalid value: 0: must be specified for an update'
    const error: FieldError = { type: 'FieldValueInvalid', field: 'metadata.resourceVersion', message }
    throw invalid({ group: resource.group, kind: resource.plural, name: info.name }, [error])
  }
  if (wanted !== '' && wanted !== '0' && wanted !== old.metadata.resourceVersion) throw conflict(targetOf(context))
}

/** What only the server writes: filled in where the client left it out; what it changed is found by validation. */
function keepSystemFields({ metadata }: Draft<KubernetesObject>, old: KubernetesObject): void {
  const kept = old.metadata
  metadata.uid ||= kept.uid
  metadata.creationTimestamp ||= kept.creationTimestamp
  metadata.resourceVersion = kept.resourceVersion
  if (kept.deletionTimestamp !== undefined) metadata.deletionTimestamp ??= kept.deletionTimestamp
  if (kept.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds ??= kept.deletionGracePeriodSeconds
  }
  if (kept.generation === undefined) delete metadata.generation
  else metadata.generation = kept.generation
  delete metadata.selfLink
}

/** `generation` counts changes of what is wanted: all but metadata and status. */
function countGeneration(resource: ServedResource, draft: Draft<KubernetesObject>, old: KubernetesObject): void {
  if (!resource.rules.hasGeneration) return
  // A custom resource without `/status` may keep its wishes there too.
  const keepsStatus = resource.custom === undefined || resource.subresources.has('status')
  const wanted = (object: KubernetesObject): object => wantedState(object, keepsStatus)
  if (isSameJson(wanted(draft as KubernetesObject), wanted(old))) return
  draft.metadata.generation = (old.metadata.generation ?? 0) + 1
}

function wantedState(object: KubernetesObject, keepsStatus: boolean): object {
  const { metadata: _metadata, ...all } = object
  if (!keepsStatus) return all
  const { status: _status, ...wanted } = all as { status?: unknown }
  return wanted
}

/** Writes the draft, or removes the object if the update took the last finalizer of one that is being deleted. */
async function save(
  context: ResourceContext,
  draft: Draft<KubernetesObject>,
  stored: StoredObject,
): Promise<KubernetesObject> {
  const { server, resource } = context
  const { metadata } = draft
  const key = storageKey(resource, metadata.namespace ?? '', metadata.name)
  const { claims } = behaviourOf(resource)
  const old = claims && served(resource, stored.object)
  if (isGone(resource, draft as KubernetesObject)) {
    const given = claims?.(context, undefined, old) ?? []
    await server.store.commit([{ key, delete: true, ifRevision: stored.revision }, ...given])
    return draft as KubernetesObject
  }
  const taken = claims?.(context, draft as KubernetesObject, old) ?? []
  await prepareStored(resource, draft)
  const value = storedValue(server, toStored(resource, draft))
  const { revision } = await server.store.commit([{ key, value, ifRevision: stored.revision }, ...taken])
  const made = server.codec.decode(value, revision)
  await prepareServed(resource, [made])
  return served(resource, made)
}

/** Whether nothing holds an object back that is being deleted: no finalizer, and no grace left. */
export function isGone(resource: ServedResource, object: KubernetesObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata
  if (deletionTimestamp === undefined || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false
  return behaviourOf(resource).isHeld?.(object) !== true
}
