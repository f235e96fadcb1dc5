import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { systemClock } from '#lib/clock.ts'
import { describeEvent, Model, type ModelEntry } from './model.ts'
import {
  CompactedError,
  ConflictError,
  FutureRevisionError,
  SlowWatcherError,
  type Change,
  type Entry,
  type ListOptions,
  type Store,
} from './store.ts'

export interface ModelCaseOptions {
  readonly name: string
  /** Opens an empty store. */
  readonly open: () => Promise<Store>
  /** Closes a store and opens it again, for stores that outlive their process. */
  readonly reopen?: (store: Store) => Promise<Store>
  /** How many random histories are tried. */
  readonly runs: number
}

/** Random histories: whatever is done to the store is done to the model, and every answer must be the same. */
export function storeModelCase({ name, open, reopen, runs }: ModelCaseOptions): void {
  test(`${name}: random histories agree with the model`, async () => {
    const restart = { weight: reopen ? 1 : 0, arbitrary: fc.constant<Step>({ kind: 'reopen' }) }
    const history = fc.array(fc.oneof({ weight: 20, arbitrary: step }, restart), { maxLength: 60, size: 'max' })
    const property = fc.asyncProperty(history, async (steps) => {
      const comparison = new Comparison(await open(), reopen)
      try {
        for (const [number, next] of steps.entries()) await comparison.run(next, number)
        await comparison.checkWatches()
      } finally {
        await comparison.store.close()
      }
    })
    await fc.assert(property, { numRuns: runs })
  })
}

/** Revisions are drawn relative to what exists, so that most of them are interesting. */
type Expected = 'any' | 'current' | 'absent' | 'stale'
interface ChangeDraft {
  readonly key: string
  readonly isDeletion: boolean
  readonly expected: Expected
}
type Step =
  | { readonly kind: 'commit'; readonly drafts: readonly ChangeDraft[] }
  | { readonly kind: 'race'; readonly commits: readonly (readonly ChangeDraft[])[] }
  | { readonly kind: 'get'; readonly key: string; readonly back: number }
  | {
      readonly kind: 'list'
      readonly prefix: string
      readonly back: number
      readonly limit: number
      readonly after: string
    }
  | { readonly kind: 'watch'; readonly prefix: string; readonly back: number }
  | { readonly kind: 'compact'; readonly back: number }
  | { readonly kind: 'reopen' }

const key = fc.constantFrom('a', 'a/', 'a/1', 'a/10', 'a/2', 'b', 'b/1')
const prefix = fc.constantFrom('', 'a', 'a/', 'a/1', 'b/', 'c')
const back = fc.oneof(fc.constant(0), fc.integer({ min: -2, max: 12 }))
const draft: fc.Arbitrary<ChangeDraft> = fc.record({
  key,
  isDeletion: fc.boolean(),
  expected: fc.constantFrom<Expected>('any', 'any', 'current', 'current', 'absent', 'stale'),
})
const drafts = fc.uniqueArray(draft, { minLength: 1, maxLength: 3, selector: (one) => one.key })
const commit = fc.record({ kind: fc.constant('commit'), drafts })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: commit },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('race'), commits: fc.array(drafts, { minLength: 2, maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('get'), key, back }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('list'),
      prefix,
      back,
      limit: fc.integer({ min: 0, max: 4 }),
      after: fc.oneof(fc.constant(''), key),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('watch'), prefix, back }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact'), back }) },
)

/** How long a watch may take to show what is committed, where the store is another process. */
const patienceMs = 5_000

interface Watched {
  readonly prefix: string
  readonly from: number
  readonly lines: string[]
  readonly end: AbortController
  readonly done: Promise<unknown>
}

class Comparison {
  store: Store
  readonly #model = new Model()
  readonly #reopen: ModelCaseOptions['reopen']
  #watches: Watched[] = []

  constructor(store: Store, reopen: ModelCaseOptions['reopen']) {
    this.store = store
    this.#reopen = reopen
  }

  async run(step: Step, number: number): Promise<void> {
    switch (step.kind) {
      case 'commit':
        await this.#commitOne(this.#changesOf(step.drafts, `v${number}`))
        break
      case 'race':
        await this.#race(step.commits.map((one, racer) => this.#changesOf(one, `v${number}.${racer}`)))
        break
      case 'get':
        await this.#get(step.key, this.#model.revision - step.back)
        break
      case 'list':
        await this.#list(step.prefix, this.#listOptionsOf(step))
        break
      case 'watch':
        this.#watch(step.prefix, Math.max(0, this.#model.revision - step.back))
        break
      case 'compact':
        await this.#compact(Math.max(0, this.#model.revision - step.back))
        break
      case 'reopen':
        await this.checkWatches()
        this.store = (await this.#reopen?.(this.store)) ?? this.store
        break
    }
    assert.equal(this.store.revision(), this.#model.revision)
    assert.equal(this.store.compactedRevision(), this.#model.compactedRevision)
  }

  /** Ends all watches and compares what they saw with what they had to see. */
  async checkWatches(): Promise<void> {
    for (const { prefix, from, lines, end, done } of this.#watches.splice(0)) {
      const expected = this.#model.events(prefix, from)
      const failure = await Promise.race([done, this.#seen(lines, expected.length)])
      end.abort()
      const wasCompacted = from < this.#model.compactedRevision
      if (wasCompacted && (failure instanceof CompactedError || failure instanceof SlowWatcherError)) continue
      assert.equal(failure, undefined)
      assert.deepEqual(lines.toSorted(byRevision), expected.toSorted(byRevision))
    }
  }

  /** Resolves when so many lines have come, or would have come by now. */
  async #seen(lines: readonly string[], count: number): Promise<undefined> {
    const untilMs = systemClock.monotonic() + patienceMs
    while (lines.length < count && systemClock.monotonic() < untilMs) await setImmediate()
  }

  #changesOf(all: readonly ChangeDraft[], text: string): Change[] {
    return all.map(({ key, isDeletion, expected }) => {
      const current = this.#model.get(key)?.modRevision ?? 0
      const revisions = { any: undefined, current, absent: 0, stale: Math.max(0, current - 1) }
      const ifRevision = revisions[expected]
      const condition = ifRevision === undefined ? {} : { ifRevision }
      return isDeletion ? { key, delete: true, ...condition } : { key, value: Buffer.from(text), ...condition }
    })
  }

  async #commitOne(changes: readonly Change[]): Promise<void> {
    const conflict = this.#model.conflictOf(changes)
    if (conflict === undefined) {
      const { revision } = await this.store.commit(changes)
      this.#model.commit(changes)
      assert.equal(revision, this.#model.revision)
    } else {
      await assert.rejects(this.store.commit(changes), (error) => {
        assert.ok(error instanceof ConflictError, String(error))
        assert.equal(error.key, conflict)
        assert.deepEqual(plain(error.current), this.#model.get(conflict))
        return true
      })
    }
  }

  /** Commits made at the same time may be ordered in any way, but must then be right in that order. */
  async #race(commits: readonly (readonly Change[])[]): Promise<void> {
    const results = await Promise.allSettled(commits.map((changes) => this.store.commit(changes)))
    const won = results.flatMap((result, racer) =>
      result.status === 'fulfilled' ? [{ revision: result.value.revision, changes: commits[racer] as Change[] }] : [],
    )
    for (const { revision, changes } of won.sort((a, b) => a.revision - b.revision)) {
      assert.equal(this.#model.conflictOf(changes), undefined)
      this.#model.commit(changes)
      assert.equal(revision, this.#model.revision)
    }
    for (const result of results) if (result.status === 'rejected') assert.ok(result.reason instanceof ConflictError)
  }

  async #get(key: string, revision: number): Promise<void> {
    const read = this.store.get(key, { revision })
    if (await this.#isRefused(read, revision)) return
    assert.deepEqual(plain(await read), this.#model.get(key, revision))
  }

  async #list(prefix: string, options: ListOptions): Promise<void> {
    const read = this.store.list(prefix, options)
    if (await this.#isRefused(read, options.revision ?? this.#model.revision)) return
    const { entries, remaining, revision } = await read
    assert.deepEqual({ entries: entries.map(plain), remaining, revision }, this.#model.list(prefix, options))
  }

  /** Checks the errors of a read at a revision that cannot be read. */
  async #isRefused(read: Promise<unknown>, revision: number): Promise<boolean> {
    const wanted =
      revision < this.#model.compactedRevision
        ? CompactedError
        : revision > this.#model.revision
          ? FutureRevisionError
          : undefined
    if (wanted) await assert.rejects(read, wanted)
    return wanted !== undefined
  }

  #watch(prefix: string, from: number): void {
    const lines: string[] = []
    const end = new AbortController()
    const collect = async (store: Store): Promise<undefined> => {
      for await (const batch of store.watch(prefix, { from, signal: end.signal }))
        lines.push(...batch.map(describeEvent))
    }
    const done = collect(this.store).catch((error: unknown) => error)
    this.#watches.push({ prefix, from, lines, end, done })
  }

  async #compact(revision: number): Promise<void> {
    if (revision > this.#model.revision) return assert.rejects(this.store.compact(revision), FutureRevisionError)
    await this.store.compact(revision)
    this.#model.compactedRevision = Math.max(revision, this.#model.compactedRevision)
  }

  #listOptionsOf({ back, limit, after }: { back: number; limit: number; after: string }): ListOptions {
    const revision = back === 0 ? {} : { revision: this.#model.revision - back }
    return { limit, ...revision, ...(after !== '' && { after }) }
  }
}

function plain(entry: Entry | undefined): ModelEntry | undefined {
  if (!entry) return undefined
  const { key, value, modRevision, createRevision } = entry
  return { key, text: Buffer.from(value).toString(), modRevision, createRevision }
}

/** Keeps revisions in the order they came and sorts only within one. */
function byRevision(a: string, b: string): number {
  return Number.parseInt(a) === Number.parseInt(b) ? (a < b ? -1 : 1) : 0
}
