/**
 * The store contract: etcd's model and nothing more. A store knows keys, bytes and revisions, no kinds.
 *
 * Revisions are one strictly increasing sequence over the whole store, also across restarts and kill -9: every
 * successful commit takes the next one, and all its changes share it. An empty store is at revision 1.
 * Values are never copied: neither side changes a buffer after handing it over.
 */
export interface Store {
  /** The value at `revision` (default: now), or undefined where the key was absent. Throws `CompactedError`, `FutureRevisionError`. */
  get(key: string, options?: ReadOptions): Promise<Entry | undefined>

  /**
   * Entries whose key starts with `prefix`, ascending by key (UTF-16 code unit order; keys are ASCII), read at one
   * revision. `after` is exclusive. `limit` 0 or absent means all. Throws `CompactedError`, `FutureRevisionError`.
   */
  list(prefix: string, options?: ListOptions): Promise<ListResult>

  /**
   * Applies all changes as one revision, or none. A change whose `ifRevision` does not equal the key's current
   * `modRevision` (0: the key must not exist) fails the commit with `ConflictError`; without `ifRevision` it is
   * unconditional. Deleting an absent key is a conflict only if `ifRevision` asks for one. Resolves when durable: what
   * it acknowledged survives kill -9 and power loss. A key may appear once in a commit, and 64 changes may
   * have an `ifRevision`; commits made at the same time
   * may be ordered in any way. Throws `StoreUnavailableError` when it is not known whether the commit was made.
   */
  commit(changes: readonly Change[]): Promise<CommitResult>

  /**
   * Every change to keys under `prefix` with a revision above `from`, in order, without gap or repeat, until the
   * signal aborts (the iteration then ends normally). Throws `CompactedError` if `from` is below the compacted
   * revision and `SlowWatcherError` when the consumer falls further behind than the store buffers.
   * `from` may lie in the future. Only durable changes are seen.
   */
  watch(prefix: string, options: WatchOptions): AsyncIterable<readonly ChangeEvent[]>

  /** Forgets everything only visible below `revision`; later reads below it throw `CompactedError`. Never blocks writers for long. */
  compact(revision: number): Promise<void>

  /**
   * The revision of the newest durable commit, and the lowest readable one. Where other processes commit too: the
   * newest this process has heard of, which includes every commit it got acknowledged itself.
   */
  revision(): number
  compactedRevision(): number

  /**
   * Present only where other processes commit to the same store: asks for the revision of the newest commit of all,
   * which includes every commit acknowledged to anyone before the call. Where it is absent `revision()` says so at once.
   */
  currentRevision?(): Promise<number>

  /** Waits for commits under way, then releases files and workers. Later calls reject. Idempotent. */
  close(): Promise<void>
}

export interface ReadOptions {
  readonly revision?: number
}

export interface ListOptions extends ReadOptions {
  readonly limit?: number
  readonly after?: string
}

export interface WatchOptions {
  readonly from: number
  readonly signal: AbortSignal
  /** Called between batches: every change up to `revision` has been handed over, also if none was under the prefix. */
  readonly onProgress?: (revision: number) => void
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  readonly modRevision: number
  readonly createRevision: number
}

export interface ListResult {
  readonly entries: readonly Entry[]
  /** The revision the list was read at. */
  readonly revision: number
  /** Whether entries beyond `limit` exist, and how many. */
  readonly remaining: number
}

export type Change =
  | { readonly key: string; readonly value: Uint8Array; readonly ifRevision?: number }
  | { readonly key: string; readonly delete: true; readonly ifRevision?: number }

export interface CommitResult {
  readonly revision: number
}

/** `value` is absent for a deletion; `previous` is the entry before the change, absent for a creation. */
export interface ChangeEvent {
  readonly key: string
  readonly revision: number
  readonly value?: Uint8Array
  readonly previous?: Entry
}

/** The wanted revision lies below the compacted one. */
export class CompactedError extends Error {
  readonly revision: number
  readonly compactedRevision: number
  constructor(revision: number, compactedRevision: number) {
    super(`Revision ${revision} is compacted: the oldest readable revision is ${compactedRevision}`)
    this.name = 'CompactedError'
    this.revision = revision
    this.compactedRevision = compactedRevision
  }
}

/** The wanted revision has not been committed yet. */
export class FutureRevisionError extends Error {
  readonly revision: number
  readonly currentRevision: number
  constructor(revision: number, currentRevision: number) {
    super(`Revision ${revision} is in the future: the store is at ${currentRevision}`)
    this.name = 'FutureRevisionError'
    this.revision = revision
    this.currentRevision = currentRevision
  }
}

/** A change's `ifRevision` did not hold. `current` is the entry that stood in the way, absent if the key is. */
export class ConflictError extends Error {
  readonly key: string
  readonly current: Entry | undefined
  constructor(key: string, current: Entry | undefined) {
    super(`Key ${key} is at revision ${current?.modRevision ?? 0}, not at the one the commit expects`)
    this.name = 'ConflictError'
    this.key = key
    this.current = current
  }
}

/** A watcher did not keep up and was cut off; it must read again and watch from there. */
export class SlowWatcherError extends Error {
  constructor(prefix: string) {
    super(`The watcher of ${prefix} fell too far behind`)
    this.name = 'SlowWatcherError'
  }
}

/** The store was closed or its medium failed. */
export class StoreClosedError extends Error {
  constructor(cause?: unknown) {
    super('The store is closed', { cause })
    this.name = 'StoreClosedError'
  }
}

/** The store cannot be reached now. A read changed nothing; whether a commit was made is unknown. It may be tried again. */
export class StoreUnavailableError extends Error {
  constructor(detail: string, cause?: unknown) {
    super(`The store does not answer: ${detail}`, { cause })
    this.name = 'StoreUnavailableError'
  }
}
