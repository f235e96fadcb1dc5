import type { ObjectNode } from '../../schema/node.ts'
import { decodeValue } from '../../schema/decode.ts'
import type { ManagedFieldsEntry } from '../../types/meta.v1.ts'
import { readAppliedConfig } from './applied-config.ts'
import { baselineOf, unownedFields } from './baseline.ts'
import { applyConflict, type Conflict } from './conflicts.ts'
import { createdFields } from './created-fields.ts'
import { difference, emptySet, intersection, isEmptySet, union, type FieldSet } from './field-set.ts'
import { clientSideSuccessor, lastAppliedAnnotation, lastAppliedFields, lastAppliedText } from './last-applied.ts'
import {
  isSameManager,
  readManagers,
  withoutFields,
  writeManagers,
  type Manager,
  type ManagerIdentity,
} from './managers.ts'
import {
  compareValues,
  fieldSetOf,
  mergeValues,
  removeFields,
  withNamedParents,
  type Comparison,
} from './typed-value.ts'

/** Who writes, by which version and subresource, and when (`metav1.Time` text). */
export interface FieldWriter {
  readonly manager: string
  readonly apiVersion: string
  readonly subresource: string
  readonly now: string
  /** Fields that this endpoint does not write; see `ignoredFields`. */
  readonly ignored: FieldSet
}

interface Managed {
  readonly metadata?: { readonly managedFields?: readonly ManagedFieldsEntry[] | undefined }
}

export interface ApplyRequest extends FieldWriter {
  readonly node: ObjectNode
  /** The stored object, or undefined if apply is to create one. */
  readonly live: (object & Managed) | undefined
  /** The configuration as sent, parsed. */
  readonly config: object
  readonly force: boolean
}

export interface ApplyResult {
  /**
   * The object with the configuration merged in and what the manager gave up removed, before defaults. It shares parts
   * with `live` and `config`: decode a copy of it. Its `managedFields` are the old ones.
   */
  readonly object: Record<string, unknown>
  readonly managedFields: readonly ManagedFieldsEntry[]
  /** False if the configuration changed nothing but who owns what. */
  readonly isChanged: boolean
}

/**
 * Server-side apply (KEP-555): the manager says which fields it wants and owns those, and gives up what it applied before
 * and no longer mentions. Throws 409 if another manager's field would change and `force` is not set.
 */
export function applyConfiguration(request: ApplyRequest): ApplyResult {
  const { node, force, apiVersion, subresource, ignored } = request
  const config = removeFields(node, readAppliedConfig(node, request.config), ignored) as Record<string, unknown>
  const live = request.live ?? {}
  const identity: ManagerIdentity = { name: request.manager, operation: 'Apply', apiVersion, subresource }
  const before = managersBefore(request, live)
  const last = before.find((manager) => isSameManager(manager, identity))
  const others = before.filter((manager) => manager !== last)
  const claimed = difference(fieldSetOf(node, config), unownedFields)
  const merged = mergeValues(node, live, config)
  const object = pruned(node, merged, last?.fields ?? emptySet, [claimed, ...others.map(({ fields }) => fields)])
  const comparison = ownable(compareValues(node, live, object, ignored))
  const conflicts = conflictsWith(others, comparison)
  if (!force && conflicts.length > 0) refuseConflicts(request, conflicts)
  if (request.manager === clientSideSuccessor) keepLastApplied(object, request.config)
  const isChanged = request.live === undefined || !isSame(storedChange(request, object, comparison))
  const time = isChanged ? request.now : last?.time
  const managers = [...withoutTaken(others, comparison), { ...identity, time, fields: claimed }]
  return { object: object as Record<string, unknown>, managedFields: writeManagers(managers, union), isChanged }
}

/** Throws, unless all in conflict is what the same user applied on the client's side before. */
function refuseConflicts({ node, live = {}, manager, apiVersion }: ApplyRequest, conflicts: readonly Conflict[]): void {
  const own = manager === clientSideSuccessor ? lastAppliedFields(node, live, apiVersion) : emptySet
  const others = conflicts
    .map((conflict) => ({ ...conflict, fields: difference(conflict.fields, own) }))
    .filter(({ fields }) => !isEmptySet(fields))
  if (others.length > 0) throw applyConflict(others)
}

/** Clients that still apply on their side go by the annotation; it is nobody's field. */
function keepLastApplied(object: unknown, config: object): void {
  const target = object as { metadata?: { readonly annotations?: Readonly<Record<string, string>> } }
  const annotations = target.metadata?.annotations
  if (!annotations?.[lastAppliedAnnotation]) return
  target.metadata = {
    ...target.metadata,
    annotations: { ...annotations, [lastAppliedAnnotation]: lastAppliedText(config) },
  }
}

/** What will differ once the object is stored: a zero that is not written down changes nothing, however often it is said. */
function storedChange(request: ApplyRequest, object: unknown, comparison: Comparison): Comparison {
  if (isSame(comparison)) return comparison
  const { node, live, ignored } = request
  return ownable(compareValues(node, live, decodeValue(node, object).object, ignored))
}

/** An object that nobody manages yet belongs to whoever wrote it before the first apply. */
function managersBefore(request: ApplyRequest, live: object & Managed): Manager[] {
  const managers = readManagers(live.metadata?.managedFields)
  if (managers.length > 0 || request.live === undefined) return managers
  const { added, modified } = ownable(compareValues(request.node, baselineOf(request.node), live, request.ignored))
  const { apiVersion } = request
  const fields = union(added, modified)
  return [{ name: 'before-first-apply', operation: 'Update', apiVersion, subresource: '', time: request.now, fields }]
}

/** Removes what the manager applied before and nobody owns now. */
function pruned(node: ObjectNode, merged: unknown, last: FieldSet, owned: readonly FieldSet[]): unknown {
  if (isEmptySet(last)) return merged
  const kept = owned.reduce(union, unownedFields)
  return removeFields(node, merged, difference(withNamedParents(node, last), withNamedParents(node, kept)))
}

function ownable({ added, modified, removed }: Comparison): Comparison {
  return {
    added: difference(added, unownedFields),
    modified: difference(modified, unownedFields),
    removed: difference(removed, unownedFields),
  }
}

function isSame({ added, modified, removed }: Comparison): boolean {
  return isEmptySet(added) && isEmptySet(modified) && isEmptySet(removed)
}

function conflictsWith(others: readonly Manager[], { added, modified }: Comparison): Conflict[] {
  const changed = union(added, modified)
  return others
    .map((manager) => ({ manager, fields: intersection(manager.fields, changed) }))
    .filter(({ fields }) => !isEmptySet(fields))
}

/** The managers without what was taken from them or has gone. */
function withoutTaken(managers: readonly Manager[], { added, modified, removed }: Comparison): Manager[] {
  const taken = union(union(added, modified), removed)
  return managers.map((manager) => withoutFields(manager, taken))
}

export interface UpdateRequest extends FieldWriter {
  readonly node: ObjectNode
  /** The stored object, or undefined for a create. */
  readonly live: (object & Managed) | undefined
  /** The object as it is to be stored, with defaults. Its own `managedFields` count: a client may have reset them. */
  readonly object: object & Managed
}

/**
 * The `managedFields` after a create, update or patch: the manager owns what it added or changed, nobody owns what is
 * gone. Answers the entries as they are if nothing changed.
 */
export function trackUpdate(request: UpdateRequest): readonly ManagedFieldsEntry[] {
  const { node, live, object, manager: name, apiVersion, subresource, now, ignored } = request
  const given = entriesBefore(object.metadata?.managedFields, live?.metadata?.managedFields)
  if (given.length === 0) return live === undefined ? creatorOf(request) : []
  const comparison = ownable(compareValues(node, live ?? baselineOf(node), object, ignored))
  const taken = union(comparison.added, comparison.modified)
  if (isEmptySet(taken) && isEmptySet(comparison.removed)) return given
  const identity: ManagerIdentity = { name, operation: 'Update', apiVersion, subresource }
  const managers = readManagers(given)
  const own = managers.find((manager) => isSameManager(manager, identity))
  const others = withoutTaken(
    managers.filter((manager) => manager !== own),
    comparison,
  )
  const kept = difference(own?.fields ?? emptySet, comparison.removed)
  const time = isEmptySet(taken) ? own?.time : now
  return writeManagers([...others, { ...identity, time, fields: union(kept, taken) }], union)
}

/** The one entry of an object that is new. */
function creatorOf(request: UpdateRequest): readonly ManagedFieldsEntry[] {
  const { node, object, manager, apiVersion, subresource, now, ignored } = request
  const fieldsV1 = createdFields(node, object, ignored)
  if (fieldsV1 === undefined) return []
  const entry = { manager, operation: 'Update', apiVersion, time: now, fieldsType: 'FieldsV1', fieldsV1 } as const
  return [subresource === '' ? entry : { ...entry, subresource }]
}

/**
 * A client that sends no entries, or one that cannot be read, keeps the live ones; one that sends a single empty entry
 * wants them gone.
 */
function entriesBefore(
  sent: readonly ManagedFieldsEntry[] = [],
  live: readonly ManagedFieldsEntry[] = [],
): readonly ManagedFieldsEntry[] {
  if (sent.length === 0) return live
  if (sent.length === 1 && Object.keys(sent[0] as object).length === 0) return []
  return sent === live || sent.every(isReadable) ? sent : live
}

function isReadable({ operation, apiVersion, fieldsType }: ManagedFieldsEntry): boolean {
  return (operation === 'Apply' || operation === 'Update') && Boolean(apiVersion) && fieldsType === 'FieldsV1'
}
