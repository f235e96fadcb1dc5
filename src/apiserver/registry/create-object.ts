import type { Draft } from '#api/kind.ts'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { validateMetadata } from '#api/meta/validate-metadata.ts'
import { StatusError, alreadyExists, badRequest, invalid } from '#api/meta/status.ts'
import { applySchemaDefaults } from '#api/schema/defaults.ts'
import { formatTime } from '#lib/clock.ts'
import { ConflictError } from '#storage/store.ts'
import type { ResourceContext } from '../request-context.ts'
import { admitMutating, admitValidating } from './admit.ts'
import { behaviourOf } from './behaviours.ts'
import { applyDefaults } from './defaults.ts'
import { deepCopy } from './deep-copy.ts'
import { dedupeOwners } from './owner-references.ts'
import { trackManagers } from './field-managers.ts'
import { finishLater } from './finish-later.ts'
import { served } from './read.ts'
import { metadataRules, storageKey, type ServedResource } from './served-resource.ts'
import { prepareServed, prepareStored, toStored } from './stored-version.ts'
import type { WriteOptions } from './write-options.ts'
import { storedValue } from './stored-value.ts'

/** Stores a new object; answers it as stored. `draft` belongs to this call; its `managedFields` are made or taken as given. */
export async function createObject(
  context: ResourceContext,
  draft: Draft<KubernetesObject>,
  options: WriteOptions,
  managers: 'track' | 'given' = 'track',
): Promise<KubernetesObject> {
  const { resource } = context
  adoptNamespace(context, draft)
  checkNameIsFree(context, draft)
  prepareMetadata(context, draft)
  applyDefaults(resource, draft)
  const { dryRun } = options
  dedupeOwners(context, draft)
  if (managers === 'track') trackManagers(context, options, draft, undefined)
  await admitMutating(context, { operation: 'CREATE', object: draft, oldObject: undefined, dryRun })
  prepareForCreate(resource, draft)
  if (behaviourOf(resource).claims === undefined) return finishCreate(context, draft, options)
  for (let attempt = 1; ; attempt++) {
    try {
      return await finishCreate(context, deepCopy(draft), options)
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= claimAttempts) throw error
      await context.server.feed.current(context.request.signal)
    }
  }
}

/** How often a write is made again because another server claimed the same thing within the same moment. */
const claimAttempts = 8

async function finishCreate(
  context: ResourceContext,
  draft: Draft<KubernetesObject>,
  options: WriteOptions,
): Promise<KubernetesObject> {
  const finish = behaviourOf(context.resource).beforeCreate?.(context, draft)
  try {
    return await validateAndStore(context, draft, options)
  } finally {
    finishLater(context, finish)
  }
}

async function validateAndStore(
  context: ResourceContext,
  draft: Draft<KubernetesObject>,
  { dryRun }: WriteOptions,
): Promise<KubernetesObject> {
  const { resource } = context
  const errors = [
    ...validateMetadata(draft as KubernetesObject, metadataRules(resource)),
    ...(resource.rules.validate?.(draft as KubernetesObject) ?? []),
  ]
  if (errors.length > 0) throw invalid({ ...resource, name: draft.metadata.name }, errors)
  context.warnings.push(...(resource.rules.warnings?.(draft as KubernetesObject) ?? []))
  await admitValidating(context, { operation: 'CREATE', object: draft, oldObject: undefined, dryRun })
  if (dryRun) return draft as KubernetesObject
  return store(context, draft)
}

/** The namespace is that of the path; one in the body must be the same, or is dropped where there are none. */
function adoptNamespace({ resource, info }: ResourceContext, draft: Draft<KubernetesObject>): void {
  const { metadata } = draft
  if (!resource.namespaced) return void delete metadata.namespace
  if (metadata.namespace === undefined || metadata.namespace === '') metadata.namespace = info.namespace
  else if (metadata.namespace !== info.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

function checkNameIsFree({ resource }: ResourceContext, { metadata }: Draft<KubernetesObject>): void {
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '') {
    throw new StatusError('', 'resourceVersion should not be set on objects to be created', { code: 500 })
  }
  if ((metadata.name ?? '') === '' && (metadata.generateName ?? '') === '') {
    const message = 'Required value: name or generateName is required'
    throw invalid({ ...resource, name: '' }, [{ type: 'FieldValueRequired', field: 'metadata.name', message }])
  }
}

const generatedLength = 5
const longestName = 63

function prepareMetadata({ server }: ResourceContext, { metadata }: Draft<KubernetesObject>): void {
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
  metadata.uid = server.random.uuid()
  metadata.creationTimestamp = formatTime(server.clock.now())
  if ((metadata.name ?? '') !== '') return
  const base = (metadata.generateName ?? '').slice(0, longestName - generatedLength)
  metadata.name = base + server.random.suffix(generatedLength)
}

function prepareForCreate({ rules, subresources, node }: ServedResource, draft: Draft<KubernetesObject>): void {
  const withStatus = draft as { status?: unknown }
  if (rules.prepareForCreate !== undefined) rules.prepareForCreate(draft)
  else if (subresources.has('status')) delete withStatus.status
  // An empty status is a part of every answer.
  if (withStatus.status === undefined) applySchemaDefaults(node, draft)
  if (rules.hasGeneration) draft.metadata.generation = 1
}

const generateAttempts = 8

async function store(context: ResourceContext, draft: Draft<KubernetesObject>): Promise<KubernetesObject> {
  const { server, resource } = context
  const wasGenerated = (draft.metadata.generateName ?? '') !== ''
  for (let attempt = 1; ; attempt++) {
    const { name, namespace = '' } = draft.metadata
    const spare = wasGenerated ? deepCopy(draft) : undefined
    const key = storageKey(resource, namespace, name)
    const claims = behaviourOf(resource).claims?.(context, draft as KubernetesObject, undefined) ?? []
    await prepareStored(resource, draft)
    const value = storedValue(server, toStored(resource, draft))
    try {
      const { revision } = await server.store.commit([{ key, value, ifRevision: 0 }, ...claims])
      const made = server.codec.decode(value, revision)
      await prepareServed(resource, [made])
      return served(resource, made)
    } catch (error) {
      if (!(error instanceof ConflictError) || error.key !== key) throw error
      if (spare === undefined || attempt >= generateAttempts) throw exists(resource, name, isBeingDeleted(error))
      draft = spare
      const base = (draft.metadata.generateName ?? '').slice(0, longestName - generatedLength)
      draft.metadata.name = base + server.random.suffix(generatedLength)
    }
  }
}

function isBeingDeleted({ current }: ConflictError): boolean {
  if (current === undefined) return false
  const stored = JSON.parse(Buffer.from(current.value).toString()) as KubernetesObject
  return stored.metadata.deletionTimestamp !== undefined
}

function exists({ group, plural }: ServedResource, name: string, isGoing: boolean): StatusError {
  const error = alreadyExists({ group, resource: plural, name })
  if (!isGoing || error.details === undefined) return error
  return new StatusError('AlreadyExists', `object is being deleted: ${error.message}`, { details: error.details })
}
