import { SlowWatcherError, type ChangeEvent } from '../store.ts'
import { entryOf } from './entry.ts'
import { Event_Type, type Event, type WatchResponse } from './generated/etcd_pb.ts'
import type { KeySpace } from './key-space.ts'

/** What one answer of a watch stream brings. */
export interface EventBatch {
  readonly events: readonly ChangeEvent[]
  /** Every change up to here has come, with these events. */
  readonly through: number
}

/**
 * Turns what a watch stream of a whole key space brings into batches of whole commits under `prefix`. etcd cuts large
 * answers into fragments, which may split a commit: its beginning is kept until its end has come.
 */
export class EventBatches {
  readonly #space: KeySpace
  readonly #prefix: string
  #through: number
  #kept: readonly Event[] = []

  /** Events up to and including `from` are dropped. */
  constructor(space: KeySpace, prefix: string, from: number) {
    this.#space = space
    this.#prefix = prefix
    this.#through = from
  }

  /** Throws `SlowWatcherError` if compaction has already taken what an event says was there before. */
  take({ events, fragment, created, header }: WatchResponse): EventBatch {
    const known = this.#kept.length === 0 ? events : [...this.#kept, ...events]
    const whole = fragment ? wholeCommits(known) : known.length
    this.#kept = known.slice(whole)
    const from = this.#through
    const last = known[whole - 1]
    // Without events it is a notice of progress: whatever comes later has a higher revision.
    if (last !== undefined) this.#through = Math.max(from, revisionOf(last))
    else if (!created && !fragment) this.#through = Math.max(from, Number(header?.revision ?? 0))
    return { events: this.#changes(known.slice(0, whole), from), through: this.#through }
  }

  #changes(events: readonly Event[], from: number): ChangeEvent[] {
    const changes: ChangeEvent[] = []
    for (const event of events) {
      const { kv, prevKv, type } = event
      const revision = revisionOf(event)
      const key = kv && revision > from ? this.#space.decode(kv.key) : undefined
      if (kv === undefined || key?.startsWith(this.#prefix) !== true) continue
      const previous = prevKv && entryOf(key, prevKv)
      const isCreation = type === Event_Type.PUT && kv.createRevision === kv.modRevision
      if (previous === undefined && !isCreation) throw new SlowWatcherError(this.#prefix)
      // A copy: the bytes that came also hold the value before, which need not live as long.
      const value = type === Event_Type.PUT ? { value: new Uint8Array(kv.value) } : {}
      changes.push({ key, revision, ...value, ...(previous && { previous }) })
    }
    return changes
  }
}

function revisionOf({ kv }: Event): number {
  return Number(kv?.modRevision ?? 0)
}

/** How many of the first events belong to commits that are certainly complete. */
function wholeCommits(events: readonly Event[]): number {
  const last = events.at(-1)
  if (last === undefined) return 0
  const unfinished = revisionOf(last)
  return events.findLastIndex((event) => revisionOf(event) !== unfinished) + 1
}
