import type { Change, ChangeEvent, ListOptions } from './store.ts'

/** What a store shows of an entry, with the value as text. */
export interface ModelEntry {
  readonly key: string
  readonly text: string
  readonly modRevision: number
  readonly createRevision: number
}

/** A whole state: the entries in key order. */
type State = readonly ModelEntry[]

/**
 * The store contract in its plainest form, to compare the real ones with: one whole state per revision, no index, no
 * log, nothing forgotten. Compaction only moves a number.
 */
export class Model {
  /** `states[r]` is the state at revision r; there is no revision 0, and revision 1 is empty. */
  readonly #states: State[] = [[], []]
  compactedRevision = 1

  get revision(): number {
    return this.#states.length - 1
  }

  /** The key whose `ifRevision` does not hold, if any. */
  conflictOf(changes: readonly Change[]): string | undefined {
    const holds = ({ key, ifRevision }: Change): boolean =>
      ifRevision === undefined || ifRevision === (this.get(key)?.modRevision ?? 0)
    return changes.find((change) => !holds(change))?.key
  }

  commit(changes: readonly Change[]): void {
    const revision = this.revision + 1
    const untouched = this.#at(this.revision).filter((entry) => !changes.some((change) => change.key === entry.key))
    const written = changes.flatMap((change): ModelEntry[] => {
      if (!('value' in change)) return []
      const createRevision = this.get(change.key)?.createRevision ?? revision
      return [{ key: change.key, text: Buffer.from(change.value).toString(), modRevision: revision, createRevision }]
    })
    this.#states.push([...untouched, ...written].sort((a, b) => (a.key < b.key ? -1 : 1)))
  }

  get(key: string, revision: number = this.revision): ModelEntry | undefined {
    return this.#at(revision).find((entry) => entry.key === key)
  }

  list(prefix: string, options: ListOptions): { entries: State; remaining: number; revision: number } {
    const { revision = this.revision, after, limit = 0 } = options
    const all = this.#at(revision).filter(({ key }) => key.startsWith(prefix) && (after === undefined || key > after))
    const entries = limit === 0 ? all : all.slice(0, limit)
    return { entries, remaining: all.length - entries.length, revision }
  }

  /** What a watch from `from` must have shown by now, one line an event, as `describeEvent` writes it. */
  events(prefix: string, from: number): string[] {
    const lines: string[] = []
    for (let revision = Math.max(from, 1) + 1; revision <= this.revision; revision++) {
      const before = this.#at(revision - 1)
      const now = this.#at(revision)
      const keys = new Set([...before, ...now].map((entry) => entry.key).filter((key) => key.startsWith(prefix)))
      const ofRevision = [...keys].sort().flatMap((key) => {
        const previous = before.find((entry) => entry.key === key)
        const entry = now.find((candidate) => candidate.key === key)
        return previous === entry ? [] : [describe(revision, key, entry?.text, previous)]
      })
      lines.push(...ofRevision)
    }
    return lines
  }

  #at(revision: number): State {
    return this.#states[revision] as State
  }
}

/** An event as one line. Within a revision the order of keys is the implementation's, so lines must be sorted there. */
export function describeEvent({ key, revision, value, previous }: ChangeEvent): string {
  const before = previous && { ...previous, text: Buffer.from(previous.value).toString() }
  return describe(revision, key, value && Buffer.from(value).toString(), before)
}

function describe(revision: number, key: string, text: string | undefined, previous: ModelEntry | undefined): string {
  const before = previous ? `${previous.text}@${previous.modRevision}/${previous.createRevision}` : 'absent'
  return `${revision} ${key}: ${before} -> ${text ?? 'absent'}`
}
