import type { Clock } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import { planCommit } from '../commit-plan.ts'
import type { ForgottenVersion, Mvcc } from '../mvcc.ts'
import {
  ConflictError,
  StoreClosedError,
  type Change,
  type ChangeEvent,
  type CommitResult,
  type Entry,
  type ListOptions,
  type ListResult,
  type ReadOptions,
  type Store,
  type WatchOptions,
} from '../store.ts'
import { WatchHub } from '../watch-hub.ts'
import { packRows, rowToForget } from './change-row.ts'
import { lockData, type DataLock } from './data-lock.ts'
import { openDatabase } from './database.ts'
import { GroupCommit } from './group-commit.ts'
import { InconsistentHistoryError, loadHistory, type LoadedHistory } from './load-history.ts'
import { OpenStoreError, openStoreError } from './open-store-error.ts'
import { createPrivateFile } from './private-file.ts'
import { WorkerLink } from './worker-link.ts'

export interface SqliteStoreOptions {
  /** The database file. It is created with mode 0600, its folder with 0700; `…-wal` and `….lock` lie beside it. */
  readonly path: string
  readonly log: Log
  readonly clock: Clock
}

/**
 * Opens a store that keeps its data in one SQLite file. All of it, values included, is also held in memory: reads
 * never touch the disk. One thread of its own does all writing. Throws `OpenStoreError`. A store whose disk fails
 * logs the error and closes itself: everything under way and everything later rejects with `StoreClosedError`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, log, clock } = options
  const startMs = clock.monotonic()
  let lock: DataLock | undefined
  let link: WorkerLink | undefined
  try {
    lock = lockData(path)
    createPrivateFile(path)
    link = new WorkerLink(path)
    const loaded = await load(path)
    const { revision, compactedRevision } = loaded.mvcc
    log.info('Opened the database', { path, revision, compactedRevision, tookMs: clock.monotonic() - startMs })
    return new SqliteStore({ loaded, link, lock, log })
  } catch (error) {
    await link?.terminate()
    lock?.release()
    throw openStoreError(path, error)
  }
}

async function load(path: string): Promise<LoadedHistory> {
  const database = openDatabase(path)
  try {
    return await loadHistory(database)
  } catch (error) {
    throw error instanceof InconsistentHistoryError ? new OpenStoreError(path, 'corrupt', error) : error
  } finally {
    database.close()
  }
}

/** Commits whose replaced versions are forgotten in one transaction. */
const compactionSlice = 500

interface Parts {
  readonly loaded: LoadedHistory
  readonly link: WorkerLink
  readonly lock: DataLock
  readonly log: Log
}

class SqliteStore implements Store {
  readonly #mvcc: Mvcc
  readonly #hub: WatchHub
  readonly #link: WorkerLink
  readonly #lock: DataLock
  readonly #log: Log
  readonly #commits: GroupCommit
  #leftOver: readonly ForgottenVersion[]
  #compaction: Promise<void> = Promise.resolve()
  #closed: StoreClosedError | undefined
  #isFailed = false
  #closing: Promise<void> | undefined

  constructor({ loaded, link, lock, log }: Parts) {
    this.#mvcc = loaded.mvcc
    this.#leftOver = loaded.leftOver
    this.#hub = new WatchHub(loaded.mvcc)
    this.#link = link
    this.#lock = lock
    this.#log = log
    this.#commits = new GroupCommit({
      mvcc: loaded.mvcc,
      write: (rows) => link.request({ kind: 'commit', rows }),
      onApplied: () => this.#hub.publish(),
      onFailed: (error) => this.#fail(error),
    })
  }

  async get(key: string, options?: ReadOptions): Promise<Entry | undefined> {
    this.#checkOpen()
    return this.#mvcc.get(key, options?.revision)
  }

  async list(prefix: string, options?: ListOptions): Promise<ListResult> {
    this.#checkOpen()
    return this.#mvcc.list(prefix, options)
  }

  async commit(changes: readonly Change[]): Promise<CommitResult> {
    this.#checkOpen()
    try {
      const plan = planCommit(changes, this.#commits.nextRevision, (key) => this.#commits.current(key))
      await this.#commits.add(plan)
      return { revision: plan.revision }
    } catch (error) {
      // What stood in the way must not vanish in a crash after the caller was told of it.
      if (error instanceof ConflictError) await this.#commits.settled(error.key)
      throw error
    }
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<readonly ChangeEvent[]> {
    return this.#hub.watch(prefix, options)
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen()
    this.#mvcc.compact(revision)
    const earlier = this.#compaction
    this.#compaction = earlier.then(() => this.#forget()).catch((error: unknown) => void this.#fail(error))
    await this.#compaction
    this.#checkOpen()
  }

  revision(): number {
    return this.#mvcc.revision
  }

  compactedRevision(): number {
    return this.#mvcc.compactedRevision
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#closed ??= new StoreClosedError()
    await this.#commits.idle()
    await this.#compaction
    this.#hub.close(this.#closed)
    if (!this.#isFailed) await this.#link.request({ kind: 'close' }).catch((error: unknown) => this.#logFailure(error))
    await this.#link.terminate()
    this.#lock.release()
  }

  async #forget(): Promise<void> {
    while (this.#mvcc.hasForgettable && !this.#closed) {
      const forgotten = [...this.#leftOver, ...this.#mvcc.forget(compactionSlice)]
      this.#leftOver = []
      const rows = packRows(forgotten.map(rowToForget))
      await this.#link.request({ kind: 'forget', revision: this.#mvcc.compactedRevision, rows })
    }
    while (!this.#closed && !(await this.#link.request({ kind: 'shrink' })));
  }

  /** After a failed write nobody can say what the disk holds: the next start will read it. */
  #fail(cause: unknown): StoreClosedError {
    if (this.#closed) return this.#closed
    this.#logFailure(cause)
    this.#closed = new StoreClosedError(cause)
    this.#isFailed = true
    void this.close()
    return this.#closed
  }

  #logFailure(error: unknown): void {
    this.#log.error('The database failed: the store is closed', { error })
  }

  #checkOpen(): void {
    if (this.#closed) throw this.#closed
  }
}
