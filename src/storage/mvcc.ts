import { ChangeLog } from './change-log.ts'
import type { CommitPlan } from './commit-plan.ts'
import { KeyIndex, type KeyHistory } from './key-index.ts'
import {
  CompactedError,
  FutureRevisionError,
  type ChangeEvent,
  type Entry,
  type ListOptions,
  type ListResult,
} from './store.ts'

/** A version that no read can reach any more. */
export interface ForgottenVersion {
  readonly key: string
  readonly revision: number
}

/**
 * All keys, all versions since the compacted revision, and the commits between, in memory.
 *
 *     revision      2       3       4        5        compact(4)
 *     commit        a=A     b=B     a=A2     del b
 *     key a         A@2 ─────────── A2@4 ──────────   A@2 is forgotten: no revision from 4 on can see it
 *     key b                 B@3 ──────────── ✝@5      B@3 stays: revision 4 sees it; ✝@5 stays: 5 must not
 *     log           [a]     [b]     [a]      [b]      [b] of 5 is left: watches may start from 4
 *
 * Everything is synchronous, so each call sees and leaves one whole revision.
 */
export class Mvcc {
  readonly #index: KeyIndex
  readonly #log: ChangeLog
  #compactedRevision: number

  /** Empty at `revision`; every revision below is compacted. */
  constructor(revision = 1, index: KeyIndex = new KeyIndex(), log: ChangeLog = new ChangeLog(revision + 1)) {
    this.#compactedRevision = revision
    this.#index = index
    this.#log = log
  }

  get revision(): number {
    return this.#log.lastRevision
  }

  get compactedRevision(): number {
    return this.#compactedRevision
  }

  /** The key's entry now. */
  current(key: string): Entry | undefined {
    return entryAt(this.#index.get(key), Infinity)
  }

  get(key: string, revision: number = this.revision): Entry | undefined {
    this.#checkReadable(revision)
    return entryAt(this.#index.get(key), revision)
  }

  list(prefix: string, { revision = this.revision, limit = 0, after }: ListOptions = {}): ListResult {
    this.#checkReadable(revision)
    const entries: Entry[] = []
    let remaining = 0
    this.#index.scan(prefix, after, (history) => {
      const entry = entryAt(history, revision)
      if (!entry) return
      if (limit > 0 && entries.length === limit) remaining++
      else entries.push(entry)
    })
    return { entries, revision, remaining }
  }

  /** Takes over a plan made for the next revision. */
  apply({ revision, events, entries }: CommitPlan): void {
    for (const [position, event] of events.entries()) {
      this.#index.put(event.key, entries[position] ?? { modRevision: revision })
    }
    this.#log.append(events)
  }

  /** Takes over an entry at or below the compacted revision, in the key's place: for loading, before any `apply`. */
  restore(entry: Entry): void {
    this.#index.put(entry.key, entry)
    this.#index.forgetBefore(entry.key, entry.modRevision)
  }

  /** Takes over a deletion likewise. */
  restoreDeletion(key: string, revision: number): void {
    this.#index.put(key, { modRevision: revision })
    this.#index.forgetBefore(key, revision)
  }

  /**
   * The events under `prefix` above `from`, whole commits, at least `limit` of them if there are as many, and the
   * revision they reach to. Throws `CompactedError`.
   */
  changes(prefix: string, from: number, limit: number): { events: readonly ChangeEvent[]; through: number } {
    if (from < this.#compactedRevision) throw new CompactedError(from, this.#compactedRevision)
    const events: ChangeEvent[] = []
    let through = from
    while (through < this.revision && events.length < limit) {
      through++
      for (const event of this.#log.at(through)) if (event.key.startsWith(prefix)) events.push(event)
    }
    return { events, through }
  }

  /** Whether any commit above `from` touches `prefix`. `from` must not be compacted. */
  hasChanges(prefix: string, from: number): boolean {
    for (let revision = from + 1; revision <= this.revision; revision++) {
      for (const event of this.#log.at(revision)) if (event.key.startsWith(prefix)) return true
    }
    return false
  }

  /** Makes revisions below `revision` unreadable at once. What they alone could see goes with `forget`. */
  compact(revision: number): void {
    if (revision > this.revision) throw new FutureRevisionError(revision, this.revision)
    this.#compactedRevision = Math.max(this.#compactedRevision, revision)
  }

  /**
   * Forgets what up to `limit` compacted commits replaced, oldest first, and returns it in that order; empty once
   * all is done. The work is proportional to the commits, not to the number of keys.
   */
  forget(limit: number): readonly ForgottenVersion[] {
    const forgotten: ForgottenVersion[] = []
    for (let count = 0; count < limit && this.#log.firstRevision <= this.#compactedRevision; count++) {
      const revision = this.#log.firstRevision
      for (const { key, value, previous } of this.#log.shift()) {
        this.#index.forgetBefore(key, revision)
        // The deletion comes after what it deleted: a medium that loses the tail must not bring the entry back.
        if (previous) forgotten.push({ key, revision: previous.modRevision })
        if (value === undefined) forgotten.push({ key, revision })
      }
    }
    return forgotten
  }

  /** Whether compacted commits are still to be forgotten. */
  get hasForgettable(): boolean {
    return this.#log.firstRevision <= this.#compactedRevision
  }

  /** An independent copy that shares all values, and the structure until either side writes to it. */
  fork(): Mvcc {
    return new Mvcc(this.#compactedRevision, this.#index.fork(), this.#log.fork())
  }

  #checkReadable(revision: number): void {
    if (revision < this.#compactedRevision) throw new CompactedError(revision, this.#compactedRevision)
    if (revision > this.revision) throw new FutureRevisionError(revision, this.revision)
  }
}

function entryAt(history: KeyHistory | undefined, revision: number): Entry | undefined {
  if (!history) return undefined
  const { latest, older } = history
  const version =
    latest.modRevision <= revision ? latest : older?.findLast((candidate) => candidate.modRevision <= revision)
  return version?.value === undefined ? undefined : version
}
