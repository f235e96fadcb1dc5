import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { manualClock, type ManualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { autoCompact, type AutoCompactOptions } from './auto-compact.ts'
import { memoryStore } from './memory/memory-store.ts'
import { put } from './store.case.ts'
import type { Store } from './store.ts'

type Bounds = Pick<AutoCompactOptions, 'keepMs' | 'keepRevisions' | 'keepBytes'>

async function start(context: TestContext, bounds: Bounds): Promise<{ store: Store; clock: ManualClock }> {
  const store = memoryStore()
  const clock = manualClock()
  const end = new AbortController()
  const done = autoCompact(store, { clock, log: silentLog, signal: end.signal, ...bounds })
  context.after(async () => {
    end.abort()
    await done
  })
  return { store, clock }
}

async function write(store: Store, count: number, length = 10): Promise<void> {
  for (let i = 0; i < count; i++) {
    await store.commit([put('a', 'x'.repeat(length))])
    await setImmediate()
  }
}

test('history goes when it is five minutes old, and all of it when nothing more happens', async (context) => {
  const { store, clock } = await start(context, {})
  await write(store, 10)
  await clock.advance(200_000)
  await write(store, 10)
  await clock.advance(90_000)
  assert.equal(store.compactedRevision(), 1)
  await clock.advance(60_000)
  assert.ok(store.compactedRevision() >= 11 && store.compactedRevision() < 21, String(store.compactedRevision()))
  await clock.advance(600_000)
  assert.equal(store.compactedRevision(), 21)
})

test('history goes when it has too many revisions', async (context) => {
  const { store } = await start(context, { keepRevisions: 80 })
  await write(store, 500)
  const kept = store.revision() - store.compactedRevision()
  assert.ok(kept >= 70 && kept <= 95, String(kept))
})

test('history goes when it is too large', async (context) => {
  const { store } = await start(context, { keepBytes: 100_000 })
  await write(store, 100, 9700)
  const kept = store.revision() - store.compactedRevision()
  assert.ok(kept >= 8 && kept <= 13, String(kept))
})

test('it ends with the store', async () => {
  const store = memoryStore()
  const done = autoCompact(store, { clock: manualClock(), log: silentLog, signal: new AbortController().signal })
  await setImmediate()
  await store.close()
  await done
})
