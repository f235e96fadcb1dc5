import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Log } from '#lib/log.ts'
import {
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
import { commitTransaction, conflictOf } from './commit-transaction.ts'
import { entryOf } from './entry.ts'
import { connectEtcd, type EtcdConnection, type EtcdTls } from './etcd-connection.ts'
import { parseEtcdServers } from './etcd-endpoints.ts'
import { EtcdError } from './etcd-error.ts'
import { EtcdView } from './etcd-view.ts'
import { EtcdWatcher } from './etcd-watcher.ts'
import { KV, Maintenance, type RangeRequestSchema, type RangeResponse } from './generated/etcd_pb.ts'
import { KeySpace } from './key-space.ts'
import { findCompactedRevision } from './find-compacted-revision.ts'
import { SharedQuestion } from './shared-question.ts'

export interface EtcdStoreOptions {
  /** Client URLs of the members, all `http` or all `https`. */
  readonly servers: readonly string[]
  readonly tls?: EtcdTls
  /** Put before every key, so that several stores can share one etcd. Default: nothing. */
  readonly keyPrefix?: string
  readonly clock: Clock
  readonly log: Log
}

/**
 * Opens a store in an etcd cluster, 3.4 or later. Other processes may use the same keys: all revisions are etcd's, so
 * with other users of that etcd they have gaps. What cannot be reached for a while goes on by itself: watches resume
 * where they were, calls wait some seconds and then throw `StoreUnavailableError`. Throws that too, and a `RangeError`
 * for servers that are no URLs.
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<Store> {
  const { servers, keyPrefix = '', clock, log } = options
  const endpoints = parseEtcdServers(servers)
  const connection = connectEtcd({ endpoints, clock, log, ...(options.tls && { tls: options.tls }) })
  const startMs = clock.monotonic()
  try {
    const { version, header } = await connection.ask(Maintenance.method.status, {})
    if (!/^(3\.([4-9]|\d\d)|[4-9]|\d\d)\b/.test(version)) throw new Error(`etcd 3.4 or later is needed, not ${version}`)
    const space = new KeySpace(keyPrefix)
    const view = new EtcdView()
    view.saw(header?.revision)
    view.sawCompacted(await findCompactedRevision(connection, space))
    const { revision, compactedRevision } = view
    const tookMs = clock.monotonic() - startMs
    log.info('Connected to etcd', { ...endpoints, version, revision, compactedRevision, tookMs })
    return new EtcdStore({ connection, space, view, clock, log })
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Entries asked for at once; fewer while they are too large to come in one message. */
const pageLength = 500

/** How long the watchers may take to hear of a revision before it is brought to their attention, and how often again. */
const firstNudgeMs = 25
const nextNudgeMs = 500

interface Parts {
  readonly connection: EtcdConnection
  readonly space: KeySpace
  readonly view: EtcdView
  readonly clock: Clock
  readonly log: Log
}

class EtcdStore implements Store {
  readonly #parts: Parts
  readonly #closing = new AbortController()
  readonly #watchers = new Set<EtcdWatcher>()
  readonly #commits = new Set<Promise<unknown>>()
  readonly #newest = new SharedQuestion(() => this.#askNewest())
  #awaited = 0
  #nudge: Timer | undefined
  #closed: StoreClosedError | undefined
  #ended: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async get(key: string, { revision }: ReadOptions = {}): Promise<Entry | undefined> {
    const { kvs } = await this.#read({ key: this.#parts.space.encode(key) }, revision)
    return kvs[0] && entryOf(key, kvs[0])
  }

  async list(prefix: string, { revision, limit = 0, after }: ListOptions = {}): Promise<ListResult> {
    const entries: Entry[] = []
    let at = revision
    let last = after
    for (let length = pageLength; ;) {
      const wanted = limit === 0 ? length : Math.min(length, limit - entries.length)
      try {
        const page = await this.#readPage(prefix, last, wanted, at)
        at ??= page.revision
        for (const entry of page.entries) entries.push(entry)
        if (page.remaining === 0 || entries.length === limit)
          return { entries, revision: at, remaining: page.remaining }
        last = entries.at(-1)?.key
      } catch (error) {
        if (!(error instanceof EtcdError) || error.reason !== 'message-too-large' || length === 1) throw error
        length = Math.ceil(length / 4)
      }
    }
  }

  commit(changes: readonly Change[]): Promise<CommitResult> {
    const commit = this.#commit(changes)
    const ended: Promise<unknown> = commit.then(
      () => this.#commits.delete(ended),
      () => this.#commits.delete(ended),
    )
    this.#commits.add(ended)
    return commit
  }

  async *watch(prefix: string, options: WatchOptions): AsyncGenerator<readonly ChangeEvent[], void, void> {
    if (options.signal.aborted) return
    this.#checkOpen()
    const watcher = new EtcdWatcher({ ...this.#parts, closing: this.#closing.signal }, prefix, options)
    this.#watchers.add(watcher)
    try {
      yield* watcher.run()
    } finally {
      this.#watchers.delete(watcher)
    }
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen()
    const { connection, view } = this.#parts
    if (revision <= view.compactedRevision) return
    try {
      const { header } = await this.#unlessClosed(connection.ask(KV.method.compact, { revision: BigInt(revision) }))
      view.saw(header?.revision)
    } catch (error) {
      if (isEtcdError(error, 'future')) throw view.future(revision)
      // Somebody else was there before, or etcd had done it when its answer was lost.
      if (!isEtcdError(error, 'compacted')) throw error
    }
    view.sawCompacted(revision)
  }

  revision(): number {
    return this.#parts.view.revision
  }

  compactedRevision(): number {
    return this.#parts.view.compactedRevision
  }

  async currentRevision(): Promise<number> {
    const revision = await this.#newest.ask()
    this.#awaited = Math.max(this.#awaited, revision)
    this.#watchForLaggards(firstNudgeMs)
    return revision
  }

  close(): Promise<void> {
    return (this.#ended ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#closed = new StoreClosedError()
    this.#nudge?.cancel()
    await Promise.all(this.#commits)
    this.#closing.abort()
    this.#parts.connection.close()
  }

  async #commit(changes: readonly Change[]): Promise<CommitResult> {
    this.#checkOpen()
    const { connection, space, view } = this.#parts
    const answer = await connection.tell(KV.method.txn, commitTransaction(changes, space))
    const revision = view.saw(answer.header?.revision)
    if (!answer.succeeded) throw conflictOf(changes, answer)
    return { revision }
  }

  async #readPage(prefix: string, after: string | undefined, limit: number, at?: number): Promise<ListResult> {
    const { space } = this.#parts
    const range = space.range(prefix, after)
    const { kvs, count, header } = await this.#read({ ...range, limit: BigInt(limit) }, at)
    const entries = kvs.map((stored) => entryOf(space.decode(stored.key) ?? '', stored))
    return { entries, revision: at ?? Number(header?.revision), remaining: Number(count) - entries.length }
  }

  async #read(request: MessageInitShape<typeof RangeRequestSchema>, revision?: number): Promise<RangeResponse> {
    this.#checkOpen()
    const { connection, view } = this.#parts
    // etcd takes 0 for the newest; nothing below 1 was ever readable.
    if (revision !== undefined && revision < 1) throw view.compacted(0)
    const at = revision === undefined ? {} : { revision: BigInt(revision) }
    try {
      const answer = await this.#unlessClosed(connection.ask(KV.method.range, { ...request, ...at }))
      view.saw(answer.header?.revision)
      return answer
    } catch (error) {
      if (isEtcdError(error, 'compacted')) throw view.compacted(revision ?? view.revision)
      if (isEtcdError(error, 'future')) throw view.future(revision ?? view.revision)
      throw error
    }
  }

  /** A read that etcd answers only after it has made sure that it knows every commit. */
  async #askNewest(): Promise<number> {
    const { header } = await this.#read({ key: this.#parts.space.marker, keysOnly: true })
    return Number(header?.revision)
  }

  /**
   * A revision that took place outside this key space never reaches the watchers by itself. Writing the marker brings
   * them past it: unlike a progress notice on request, that keeps its place in the order in every release of etcd.
   */
  #watchForLaggards(delayMs: number): void {
    if (this.#nudge !== undefined || this.#closed !== undefined || !this.#hasLaggards()) return
    this.#nudge = this.#parts.clock.schedule(delayMs, () => {
      if (this.#hasLaggards()) void this.#writeMarker()
      else this.#nudge = undefined
    })
  }

  #hasLaggards(): boolean {
    for (const watcher of this.#watchers) if (watcher.isBehind(this.#awaited)) return true
    return false
  }

  async #writeMarker(): Promise<void> {
    const { connection, space, log } = this.#parts
    try {
      await connection.tell(KV.method.put, { key: space.marker, value: new Uint8Array() })
    } catch (error) {
      if (this.#closed === undefined) log.warn('Could not write to etcd to find out how far the watch is', { error })
    }
    this.#nudge = undefined
    this.#watchForLaggards(nextNudgeMs)
  }

  #checkOpen(): void {
    if (this.#closed) throw this.#closed
  }

  async #unlessClosed<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      throw this.#closed ?? error
    }
  }
}

function isEtcdError(error: unknown, reason: EtcdError['reason']): boolean {
  return error instanceof EtcdError && error.reason === reason
}
