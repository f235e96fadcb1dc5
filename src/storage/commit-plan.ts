import { ConflictError, type Change, type ChangeEvent, type Entry } from './store.ts'

/** A checked commit: `entries[i]` is the key's entry after `events[i]`, absent after a deletion. */
export interface CommitPlan {
  readonly revision: number
  readonly events: readonly ChangeEvent[]
  readonly entries: readonly (Entry | undefined)[]
}

/** More changes in one commit are refused with a `RangeError`. */
const maxChangesPerCommit = 4096

/** More changes with `ifRevision` in one commit are refused likewise: etcd can check so many in one transaction. */
export const maxConditionsPerCommit = 64

/**
 * Decides what a commit does at `revision`, given each key's `current` entry. Deleting an absent key leaves no event.
 * Throws `ConflictError` for the first change whose `ifRevision` does not hold, `RangeError` for a malformed commit.
 */
export function planCommit(
  changes: readonly Change[],
  revision: number,
  current: (key: string) => Entry | undefined,
): CommitPlan {
  checkShape(changes)
  const events: ChangeEvent[] = []
  const entries: (Entry | undefined)[] = []
  for (const change of changes) {
    const { key } = change
    const previous = current(key)
    if (change.ifRevision !== undefined && change.ifRevision !== (previous?.modRevision ?? 0)) {
      throw new ConflictError(key, previous)
    }
    if ('value' in change) {
      const { value } = change
      events.push(previous ? { key, revision, value, previous } : { key, revision, value })
      entries.push({ key, value, modRevision: revision, createRevision: previous?.createRevision ?? revision })
    } else if (previous) {
      events.push({ key, revision, previous })
      entries.push(undefined)
    }
  }
  return { revision, events, entries }
}

/** Throws `RangeError` for a commit that no store takes. */
export function checkShape(changes: readonly Change[]): void {
  if (changes.length === 0 || changes.length > maxChangesPerCommit) {
    throw new RangeError(`A commit must have 1 to ${maxChangesPerCommit} changes: it has ${changes.length}`)
  }
  if (changes.length > maxConditionsPerCommit) {
    const conditions = changes.filter((change) => change.ifRevision !== undefined).length
    if (conditions > maxConditionsPerCommit) {
      throw new RangeError(`A commit may have ${maxConditionsPerCommit} conditions: it has ${conditions}`)
    }
  }
  if (changes.some((change) => change.key === '')) throw new RangeError('A key must not be empty')
  if (changes.length > 1 && new Set(changes.map((change) => change.key)).size < changes.length) {
    throw new RangeError('A key may appear only once in a commit')
  }
}
