import type { CommitPlan } from '../commit-plan.ts'
import type { Mvcc } from '../mvcc.ts'
import type { Entry } from '../store.ts'
import { packRows, rowsOf } from './change-row.ts'

interface Pending {
  readonly plan: CommitPlan
  readonly durable: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

interface Overlaid {
  readonly entry: Entry | undefined
  readonly pending: Pending
}

export interface GroupCommitOptions {
  readonly mvcc: Mvcc
  /** Makes packed rows durable in one transaction. Called again only after the last call resolved. */
  readonly write: (rows: ArrayBuffer) => Promise<unknown>
  /** The commits of a group are durable and applied. */
  readonly onApplied: () => void
  /** A group failed. Returns what it and everything ordered after it reject with. */
  readonly onFailed: (error: unknown) => Error
}

/** A group takes no further commit once it has this many rows, or bytes of values. */
const maxGroupRows = 2000
const maxGroupBytes = 8 << 20

/**
 * Orders commits at once and makes them durable in groups: while one group is being written, the next one collects.
 * The next commit is planned against the newest planned state, so writers of one key need not wait for the disk
 * between two updates; readers and watchers see a commit only when it is durable. How much may wait is bounded by how
 * many commits the callers have under way.
 *
 *     commit a, commit b     a is written alone, b waits
 *     commit c, d, e         wait; c may expect the revision b will get
 *     a is durable           a is applied and acknowledged; b, c, d, e are written together
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions
  #waiting: Pending[] = []
  /** The newest planned state of the keys that have a commit under way. */
  readonly #overlay = new Map<string, Overlaid>()
  #nextRevision: number
  #flushing: Promise<void> | undefined

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#nextRevision = options.mvcc.revision + 1
  }

  get nextRevision(): number {
    return this.#nextRevision
  }

  /** The key's entry after everything that is ordered so far. */
  current(key: string): Entry | undefined {
    const overlaid = this.#overlay.get(key)
    return overlaid ? overlaid.entry : this.#options.mvcc.current(key)
  }

  /** Resolves when `current(key)` is durable. */
  async settled(key: string): Promise<void> {
    await this.#overlay.get(key)?.pending.durable
  }

  /** Takes a plan made for `nextRevision`; resolves when it is durable and applied. */
  add(plan: CommitPlan): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const pending = { plan, durable: promise, resolve, reject }
    for (const [position, { key }] of plan.events.entries()) {
      this.#overlay.set(key, { entry: plan.entries[position], pending })
    }
    this.#nextRevision++
    this.#waiting.push(pending)
    this.#flushing ??= this.#flush()
    return promise
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.#flushing
  }

  async #flush(): Promise<void> {
    // Commits made in the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      try {
        await this.#options.write(packRows(group.flatMap((pending) => rowsOf(pending.plan))))
      } catch (error) {
        const reason = this.#options.onFailed(error)
        for (const pending of [...group, ...this.#waiting.splice(0)]) pending.reject(reason)
        break
      }
      for (const pending of group) this.#apply(pending)
      this.#options.onApplied()
      for (const pending of group) pending.resolve()
    }
    this.#flushing = undefined
  }

  #takeGroup(): Pending[] {
    let rows = 0
    let bytes = 0
    const cut = this.#waiting.findIndex(({ plan }) => {
      const isFull = rows > maxGroupRows || bytes > maxGroupBytes
      rows += plan.events.length
      for (const { value } of plan.events) bytes += value?.length ?? 0
      return isFull
    })
    return this.#waiting.splice(0, cut === -1 ? this.#waiting.length : cut)
  }

  #apply(pending: Pending): void {
    this.#options.mvcc.apply(pending.plan)
    for (const { key } of pending.plan.events) {
      if (this.#overlay.get(key)?.pending === pending) this.#overlay.delete(key)
    }
  }
}
