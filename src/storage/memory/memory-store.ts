import { setImmediate } from 'node:timers/promises'
import { planCommit } from '../commit-plan.ts'
import { Mvcc } from '../mvcc.ts'
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
import { WatchHub } from '../watch-hub.ts'

/** A store that forgets everything with the process; its commits are visible as soon as they are made. */
export interface MemoryStore extends Store {
  /** An independent store that starts as this one is now, history included, watchers not. Shares all values. */
  fork(): MemoryStore
}

/** An empty store in memory. */
export function memoryStore(): MemoryStore {
  return new InMemory(new Mvcc())
}

/** Commits forgotten in one turn of the event loop. */
const compactionSlice = 2000

class InMemory implements MemoryStore {
  readonly #mvcc: Mvcc
  readonly #hub: WatchHub
  #closed: StoreClosedError | undefined

  constructor(mvcc: Mvcc) {
    this.#mvcc = mvcc
    this.#hub = new WatchHub(mvcc)
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
    const plan = planCommit(changes, this.#mvcc.revision + 1, (key) => this.#mvcc.current(key))
    this.#mvcc.apply(plan)
    this.#hub.publish()
    return { revision: plan.revision }
  }

  watch(prefix: string, options: WatchOptions): AsyncIterable<readonly ChangeEvent[]> {
    return this.#hub.watch(prefix, options)
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen()
    this.#mvcc.compact(revision)
    this.#mvcc.forget(compactionSlice)
    while (this.#mvcc.hasForgettable) {
      await setImmediate()
      this.#mvcc.forget(compactionSlice)
    }
  }

  revision(): number {
    return this.#mvcc.revision
  }

  compactedRevision(): number {
    return this.#mvcc.compactedRevision
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = new StoreClosedError()
    this.#hub.close(this.#closed)
  }

  fork(): MemoryStore {
    this.#checkOpen()
    return new InMemory(this.#mvcc.fork())
  }

  #checkOpen(): void {
    if (this.#closed) throw this.#closed
  }
}
