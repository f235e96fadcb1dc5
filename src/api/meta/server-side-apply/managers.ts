import type { ManagedFieldsEntry } from '../../types/meta.v1.ts'
import { difference, isEmptySet, overlaps, readFieldSet, writeFieldSet, type FieldSet } from './field-set.ts'

/** One manager's share of an object: who, how, and which fields. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: FieldSet
  /** The entry that was read, as long as nothing of it has changed. */
  readonly entry?: ManagedFieldsEntry
}

export type ManagerIdentity = Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>

/**
 * The same manager stands in one entry per way of writing. Applies are one whatever version they used; updates are told
 * apart by version.
 */
export function isSameManager(a: ManagerIdentity, b: ManagerIdentity): boolean {
  if (a.name !== b.name || a.operation !== b.operation || a.subresource !== b.subresource) return false
  return a.operation === 'Apply' || a.apiVersion === b.apiVersion
}

/** Reads entries. The fields are taken apart only when asked for: most writes touch those of one manager. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).map((entry) => new ReadManager(entry))
}

class ReadManager implements Manager {
  readonly entry: ManagedFieldsEntry
  #fields: FieldSet | undefined

  constructor(entry: ManagedFieldsEntry) {
    this.entry = entry
  }

  get name(): string {
    return this.entry.manager ?? ''
  }

  get operation(): 'Apply' | 'Update' {
    return this.entry.operation === 'Apply' ? 'Apply' : 'Update'
  }

  get apiVersion(): string {
    return this.entry.apiVersion ?? ''
  }

  get subresource(): string {
    return this.entry.subresource ?? ''
  }

  get time(): string | undefined {
    return this.entry.time
  }

  get fields(): FieldSet {
    return (this.#fields ??= readFieldSet(this.entry.fieldsV1))
  }
}

/** The manager without the fields of the set; the same one if it has none of them. */
export function withoutFields(manager: Manager, set: FieldSet): Manager {
  const { name, operation, apiVersion, subresource, time, entry } = manager
  if (entry && !overlaps(entry.fieldsV1 ?? {}, set)) return manager
  return { name, operation, apiVersion, subresource, time, fields: difference(manager.fields, set) }
}

/** More update managers than this are folded into one, oldest first: controllers with changing names would pile up. */
const maxUpdateManagers = 10
const foldedName = 'ancient-changes'

/** Entries in the API's order: applies first, then by time, name, version and subresource. Empty shares are left out. */
export function writeManagers(
  managers: readonly Manager[],
  merge: (a: FieldSet, b: FieldSet) => FieldSet,
): ManagedFieldsEntry[] {
  const shares = managers
    .filter((manager) => manager.entry !== undefined || !isEmptySet(manager.fields))
    .sort(byTimeAndName)
  return foldOldest(shares, merge).sort(byTimeAndName).map(writeEntry)
}

function byTimeAndName(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.name, b.name) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function foldOldest(managers: readonly Manager[], merge: (a: FieldSet, b: FieldSet) => FieldSet): Manager[] {
  const updates = managers.filter(({ operation }) => operation === 'Update')
  const excess = updates.length - maxUpdateManagers
  if (excess <= 0) return [...managers]
  const oldest = new Set(updates.slice(0, excess + 1))
  const folded = new Map<string, Manager>()
  for (const manager of oldest) {
    const known = folded.get(manager.apiVersion)
    const fields = known ? merge(known.fields, manager.fields) : manager.fields
    const { operation, apiVersion, time } = manager
    folded.set(apiVersion, { name: foldedName, operation, apiVersion, subresource: '', time, fields })
  }
  return [...managers.filter((manager) => !oldest.has(manager)), ...folded.values()]
}

function writeEntry(manager: Manager): ManagedFieldsEntry {
  if (manager.entry) return manager.entry
  const { name, operation, apiVersion, subresource, time, fields } = manager
  return {
    manager: name,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: writeFieldSet(fields),
    ...(subresource !== '' && { subresource }),
  }
}
