import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import {
  CompactedError,
  ConflictError,
  FutureRevisionError,
  SlowWatcherError,
  StoreClosedError,
  type Change,
  type ChangeEvent,
  type Store,
} from './store.ts'

/** Opens an empty store. The suite closes it. */
export type OpenStore = (context: TestContext) => Promise<Store>

/** The contract of `Store` as tests: every implementation runs them. */
export function storeCases(name: string, open: OpenStore): void {
  const check = (title: string, body: (store: Store) => Promise<void>): void => {
    test(`${name}: ${title}`, async (context) => {
      const store = await open(context)
      context.after(() => store.close())
      await body(store)
    })
  }
  commitCases(check)
  readCases(check)
  compactionCases(check)
  watchCases(check)
  closeCases(check)
}

type Check = (title: string, body: (store: Store) => Promise<void>) => void

/** A change that sets `key` to the bytes of `text`. */
export function put(key: string, text: string, ifRevision?: number): Change {
  const value = Buffer.from(text)
  return ifRevision === undefined ? { key, value } : { key, value, ifRevision }
}

/** A change that deletes `key`. */
export function remove(key: string, ifRevision?: number): Change {
  return ifRevision === undefined ? { key, delete: true } : { key, delete: true, ifRevision }
}

function textOf(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString()
}

async function keysOf(store: Store, prefix: string, options?: Parameters<Store['list']>[1]): Promise<string[]> {
  return (await store.list(prefix, options)).entries.map((entry) => entry.key)
}

function commitCases(check: Check): void {
  check('an empty store is at revision 1 and the first commit takes 2', async (store) => {
    assert.equal(store.revision(), 1)
    assert.equal(store.compactedRevision(), 1)
    assert.equal(await store.get('a'), undefined)
    assert.deepEqual(await store.commit([put('a', 'A')]), { revision: 2 })
    assert.equal(store.revision(), 2)
  })

  check('an update keeps the create revision, a re-creation takes a new one', async (store) => {
    await store.commit([put('a', 'A')])
    await store.commit([put('a', 'A2')])
    const updated = await store.get('a')
    assert.deepEqual([updated?.createRevision, updated?.modRevision, textOf(updated?.value)], [2, 3, 'A2'])
    await store.commit([remove('a')])
    assert.equal(await store.get('a'), undefined)
    await store.commit([put('a', 'A3')])
    const recreated = await store.get('a')
    assert.deepEqual([recreated?.createRevision, recreated?.modRevision], [5, 5])
  })

  check('all changes of a commit share its revision, and a conflict undoes all of them', async (store) => {
    await store.commit([put('a', 'A'), put('b', 'B')])
    assert.equal((await store.get('b'))?.modRevision, 2)
    await assert.rejects(store.commit([put('a', 'A2', 2), put('b', 'B2', 1), put('c', 'C')]), (error) => {
      assert.ok(error instanceof ConflictError)
      assert.deepEqual([error.key, error.current?.modRevision], ['b', 2])
      return true
    })
    assert.equal(textOf((await store.get('a'))?.value), 'A')
    assert.equal(await store.get('c'), undefined)
    assert.equal(store.revision(), 2)
  })

  check('ifRevision 0 asks that the key does not exist, also after a deletion', async (store) => {
    await store.commit([put('a', 'A', 0)])
    await assert.rejects(store.commit([put('a', 'again', 0)]), ConflictError)
    await store.commit([remove('a', 2)])
    await assert.rejects(store.commit([put('a', 'A', 2)]), (error) => {
      assert.ok(error instanceof ConflictError)
      assert.equal(error.current, undefined)
      return true
    })
    await store.commit([put('a', 'back', 0)])
    assert.equal(textOf((await store.get('a'))?.value), 'back')
  })

  check('deleting an absent key is a conflict only if asked for', async (store) => {
    await store.commit([remove('a'), put('b', 'B')])
    await store.commit([remove('a', 0), put('c', 'C')])
    await assert.rejects(store.commit([remove('a', 7)]), ConflictError)
  })

  check('more conditions than one transaction can check are refused', async (store) => {
    const keys = Array.from({ length: 65 }, (_, i) => `k/${i}`)
    await assert.rejects(store.commit(keys.map((key) => put(key, 'x', 0))), RangeError)
    await store.commit([...keys.map((key) => put(key, 'x')), ...keys.slice(1).map((key) => put(`c${key}`, 'x', 0))])
    assert.equal(store.revision(), 2)
  })

  check('a commit without changes, with a repeated key or with an empty key is refused', async (store) => {
    await assert.rejects(store.commit([]), RangeError)
    await assert.rejects(store.commit([put('a', '1'), put('a', '2')]), RangeError)
    await assert.rejects(store.commit([put('', '1')]), RangeError)
    assert.equal(store.revision(), 1)
  })

  check('empty and large values survive', async (store) => {
    const large = Buffer.alloc(1_500_000, 'x')
    await store.commit([put('empty', ''), { key: 'large', value: large }])
    assert.equal((await store.get('empty'))?.value.length, 0)
    assert.ok(large.equals((await store.get('large'))?.value as Uint8Array))
  })

  check('concurrent writers each get their own revision and lose no update', async (store) => {
    await store.commit([put('counter', '0')])
    const increment = async (): Promise<void> => {
      for (;;) {
        const entry = await store.get('counter')
        const next = String(Number(textOf(entry?.value)) + 1)
        try {
          return void (await store.commit([put('counter', next, entry?.modRevision)]))
        } catch (error) {
          assert.ok(error instanceof ConflictError)
        }
      }
    }
    await Promise.all(Array.from({ length: 20 }, increment))
    assert.equal(textOf((await store.get('counter'))?.value), '20')
    const writes = await Promise.all(Array.from({ length: 50 }, (_, i) => store.commit([put(`w/${i}`, 'x')])))
    assert.equal(new Set(writes.map((write) => write.revision)).size, 50)
    assert.equal(store.revision(), 71 + 1)
  })

  check('what a conflict reports can be read at once', async (store) => {
    const racers = ['first', 'second'].map(async (text) => {
      await store.commit([put('a', text, 0)]).catch(async (error: unknown) => {
        assert.ok(error instanceof ConflictError)
        assert.deepEqual(textOf((await store.get('a'))?.value), textOf(error.current?.value))
        throw error
      })
    })
    const outcomes = await Promise.allSettled(racers)
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ConflictError)
  })
}

function readCases(check: Check): void {
  check('list is ordered, by prefix only, and prefixes end where they end', async (store) => {
    const keys = ['a', 'a/', 'a/1', 'a/10', 'a/2', 'a0', 'b/1', 'A/1', 'a/~', 'a/\x7f']
    for (const key of keys) await store.commit([put(key, key)])
    const sorted = keys.toSorted((a, b) => (a < b ? -1 : 1))
    assert.deepEqual(await keysOf(store, ''), sorted)
    assert.deepEqual(await keysOf(store, 'a/'), ['a/', 'a/1', 'a/10', 'a/2', 'a/~', 'a/\x7f'])
    assert.deepEqual(await keysOf(store, 'a/1'), ['a/1', 'a/10'])
    assert.deepEqual(await keysOf(store, 'c'), [])
  })

  check('limit, after and remaining page through a prefix', async (store) => {
    for (let i = 0; i < 7; i++) await store.commit([put(`p/${i}`, 'x'), put(`q/${i}`, 'x')])
    const first = await store.list('p/', { limit: 3 })
    assert.deepEqual([first.entries.map((entry) => entry.key), first.remaining], [['p/0', 'p/1', 'p/2'], 4])
    await store.commit([put('p/35', 'late')])
    const second = await store.list('p/', { limit: 3, after: 'p/2', revision: first.revision })
    assert.deepEqual([second.entries.map((entry) => entry.key), second.remaining], [['p/3', 'p/4', 'p/5'], 1])
    assert.equal(second.revision, first.revision)
    const third = await store.list('p/', { limit: 3, after: 'p/5', revision: first.revision })
    assert.deepEqual([third.entries.map((entry) => entry.key), third.remaining], [['p/6'], 0])
    assert.deepEqual((await store.list('p/', { limit: 7, revision: first.revision })).remaining, 0)
    assert.deepEqual(await keysOf(store, 'p/', { after: 'a' }), await keysOf(store, 'p/'))
    assert.deepEqual(await keysOf(store, 'p/', { after: 'p/65' }), [])
    assert.deepEqual(await keysOf(store, 'p/', { after: 'z' }), [])
  })

  check('old revisions show what was there, future ones are an error', async (store) => {
    await store.commit([put('a', 'A2'), put('b', 'B2')])
    await store.commit([put('a', 'A3')])
    await store.commit([remove('b')])
    assert.equal(await store.get('a', { revision: 1 }), undefined)
    assert.equal(textOf((await store.get('a', { revision: 2 }))?.value), 'A2')
    assert.deepEqual(await keysOf(store, '', { revision: 3 }), ['a', 'b'])
    assert.deepEqual(await keysOf(store, '', { revision: 4 }), ['a'])
    await assert.rejects(store.get('a', { revision: 5 }), FutureRevisionError)
    await assert.rejects(store.list('', { revision: 5 }), FutureRevisionError)
  })

  check('thousands of keys in any order list in order', async (store) => {
    const keys = Array.from({ length: 3000 }, (_, i) => `k/${((i * 7919) % 3000).toString().padStart(4, '0')}`)
    for (let i = 0; i < keys.length; i += 500) await store.commit(keys.slice(i, i + 500).map((key) => put(key, 'x')))
    assert.deepEqual(await keysOf(store, 'k/'), keys.toSorted())
    assert.deepEqual(await keysOf(store, 'k/1'), keys.filter((key) => key.startsWith('k/1')).sort())
    for (let i = 0; i < keys.length; i += 500) await store.commit(keys.slice(i, i + 500).map((key) => remove(key)))
    await store.compact(store.revision())
    assert.deepEqual(await keysOf(store, ''), [])
  })
}

function compactionCases(check: Check): void {
  check('compaction makes lower revisions unreadable and changes nothing else', async (store) => {
    await store.commit([put('a', 'A2'), put('b', 'B2')])
    await store.commit([put('a', 'A3')])
    await store.commit([remove('b')])
    await store.commit([put('a', 'A5')])
    await store.compact(3)
    assert.equal(store.compactedRevision(), 3)
    await assert.rejects(store.get('a', { revision: 2 }), CompactedError)
    await assert.rejects(store.list('', { revision: 2 }), CompactedError)
    assert.equal(textOf((await store.get('a', { revision: 3 }))?.value), 'A3')
    assert.equal(textOf((await store.get('b', { revision: 3 }))?.value), 'B2')
    await store.compact(5)
    assert.deepEqual(await keysOf(store, '', { revision: 5 }), ['a'])
    assert.equal((await store.get('a'))?.createRevision, 2)
  })

  check('compaction never goes back, and not into the future', async (store) => {
    await store.commit([put('a', 'A')])
    await store.commit([put('a', 'A')])
    await store.compact(3)
    await store.compact(2)
    assert.equal(store.compactedRevision(), 3)
    await assert.rejects(store.compact(4), FutureRevisionError)
    assert.equal(store.compactedRevision(), 3)
    assert.deepEqual(await store.commit([put('a', 'A')]), { revision: 4 })
  })
}

/** Collects what a watch yields until `count` events came, then ends it. */
async function take(store: Store, prefix: string, from: number, count: number): Promise<ChangeEvent[]> {
  const events: ChangeEvent[] = []
  const end = new AbortController()
  for await (const batch of store.watch(prefix, { from, signal: end.signal })) {
    events.push(...batch)
    if (events.length >= count) end.abort()
  }
  return events
}

function summaryOf({ key, revision, value, previous }: ChangeEvent): string {
  return `${revision} ${key}: ${textOf(previous?.value) ?? '-'} -> ${textOf(value) ?? '-'}`
}

function watchCases(check: Check): void {
  check('a watch replays history and goes on live, in order, without gap or repeat', async (store) => {
    await store.commit([put('a/1', 'A'), put('b/1', 'B')])
    await store.commit([put('a/1', 'A2')])
    const taken = take(store, 'a/', 2, 4)
    await store.commit([put('b/1', 'B2')])
    await store.commit([remove('a/1')])
    await store.commit([put('a/1', 'A5'), put('a/2', 'new')])
    const expected = ['3 a/1: A -> A2', '5 a/1: A2 -> -', '6 a/1: - -> A5', '6 a/2: - -> new']
    assert.deepEqual((await taken).map(summaryOf), expected)
    assert.deepEqual((await take(store, 'a/', 2, 4)).map(summaryOf), expected)
  })

  check('the previous entry carries its revisions, and a creation has none', async (store) => {
    await store.commit([put('a', 'A')])
    await store.commit([put('a', 'A2')])
    const [created, updated] = await take(store, '', 1, 2)
    assert.equal(created && 'previous' in created, false)
    assert.deepEqual([updated?.previous?.modRevision, updated?.previous?.createRevision], [2, 2])
  })

  check('an unconditional deletion of an absent key makes no event', async (store) => {
    await store.commit([remove('ghost'), put('a', 'A')])
    assert.deepEqual((await take(store, '', 1, 1)).map(summaryOf), ['2 a: - -> A'])
  })

  check('a watcher is told how far it is, also when nothing happens under its prefix', async (store) => {
    const end = new AbortController()
    const reached = Promise.withResolvers<void>()
    const seen: string[] = []
    const onProgress = (revision: number): void => {
      seen.push(`at ${revision}`)
      if (revision === 4) reached.resolve()
    }
    const watching = (async () => {
      for await (const events of store.watch('a', { from: 1, signal: end.signal, onProgress })) {
        seen.push(...events.map(summaryOf))
      }
    })()
    await store.commit([put('a', 'A')])
    await store.commit([put('b', 'B')])
    await store.commit([remove('ghost')])
    await reached.promise
    end.abort()
    await watching
    assert.ok(seen.indexOf('2 a: - -> A') < seen.findIndex((line) => /^at [2-4]$/.test(line)))
  })

  check('a watch from the future starts there', async (store) => {
    const taken = take(store, '', 3, 1)
    for (const text of ['2', '3', '4']) await store.commit([put('a', text)])
    assert.deepEqual((await taken).map(summaryOf), ['4 a: 3 -> 4'])
  })

  check('a watch below the compacted revision is an error, at it is none', async (store) => {
    for (const text of ['2', '3', '4']) await store.commit([put('a', text)])
    await store.compact(3)
    await assert.rejects(take(store, '', 2, 1), CompactedError)
    assert.deepEqual((await take(store, '', 3, 1)).map(summaryOf), ['4 a: 3 -> 4'])
  })

  check('a waiting watcher stays through compaction', async (store) => {
    const end = new AbortController()
    const { promise: hasPassed, resolve } = Promise.withResolvers<void>()
    const onProgress = (revision: number): void => void (revision === 4 && resolve())
    const taken = Array.fromAsync(store.watch('a', { from: 1, signal: end.signal, onProgress }), (events) => {
      end.abort()
      return events
    })
    for (const text of ['2', '3', '4']) await store.commit([put('b', text)])
    await hasPassed
    await store.compact(4)
    await store.commit([put('a', 'A')])
    assert.deepEqual((await taken).flat().map(summaryOf), ['5 a: - -> A'])
  })

  check('a watcher that compaction overtakes is cut off', async (store) => {
    await store.commit([put('a', '2')])
    const end = new AbortController()
    const batches = store.watch('', { from: 1, signal: end.signal })[Symbol.asyncIterator]()
    await batches.next()
    for (const text of ['3', '4', '5']) await store.commit([put('a', text)])
    await store.compact(5)
    await assert.rejects(batches.next(), SlowWatcherError)
  })

  check('abort ends a watch normally: before it starts, while it waits, while events wait', async (store) => {
    const aborted = AbortSignal.abort()
    for await (const _ of store.watch('', { from: 1, signal: aborted })) assert.fail('an event after abort')
    const end = new AbortController()
    const waiting = assert.rejects(take(store, '', 1, Infinity), StoreClosedError)
    const batches = store.watch('', { from: 1, signal: end.signal })[Symbol.asyncIterator]()
    const next = batches.next()
    end.abort()
    assert.equal((await next).done, true)
    await store.close()
    await waiting
  })

  check('many watchers see the same, and a multi-key commit is never split', async (store) => {
    const watchers = Array.from({ length: 50 }, () => take(store, 'k/', 1, 400))
    for (let i = 0; i < 100; i++) {
      await store.commit(['a', 'b', 'c', 'd'].map((key) => put(`k/${key}`, String(i))))
      if (i % 10 === 0) await setImmediate()
    }
    const [first, ...others] = (await Promise.all(watchers)).map((events) => events.map(summaryOf))
    assert.equal(first?.length, 400)
    for (const other of others) assert.deepEqual(other, first)
  })
}

function closeCases(check: Check): void {
  check(
    'close waits for commits, ends watchers with an error, rejects later calls and may be repeated',
    async (store) => {
      const watcher = take(store, '', 1, Infinity)
      const commit = store.commit([put('a', 'A')])
      await Promise.all([store.close(), store.close(), assert.rejects(watcher, StoreClosedError)])
      assert.deepEqual(await commit, { revision: 2 })
      await assert.rejects(store.get('a'), StoreClosedError)
      await assert.rejects(store.list(''), StoreClosedError)
      await assert.rejects(store.commit([put('a', 'A')]), StoreClosedError)
      await assert.rejects(store.compact(1), StoreClosedError)
      await assert.rejects(take(store, '', 1, 1), StoreClosedError)
      await store.close()
    },
  )
}
