import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'
import { SlowWatcherError, type ChangeEvent, type Store } from '#storage/store.ts'
import { StoreFeed, type FeedConsumer } from './store-feed.ts'

interface Recorder extends FeedConsumer {
  readonly seen: string[]
}

function recorder(): Recorder {
  const seen: string[] = []
  return {
    seen,
    reset: (entries) => void seen.push(`reset ${entries.map(({ key }) => key).join(' ')}`.trim()),
    change: ({ key, value }: ChangeEvent) => void seen.push(`${value === undefined ? '-' : '+'} ${key}`),
  }
}

const value = Buffer.from('{}')

test('the feed hands over the content and every change, and says how far it is', async () => {
  const store = memoryStore()
  await store.commit([{ key: '/registry/a', value }])
  const consumer = recorder()
  const feed = new StoreFeed({ store, prefix: '/registry/', consumer, clock: manualClock(), log: silentLog })
  await feed.start()
  const { revision } = await store.commit([{ key: '/registry/b', value }])
  await feed.reached(revision)
  await store.commit([{ key: '/registry/a', delete: true }])
  await feed.current()
  assert.deepEqual(consumer.seen, ['reset /registry/a', '+ /registry/b', '- /registry/a'])
  assert.equal(feed.isCurrent, true)
  await assert.rejects(feed.reached(99, AbortSignal.timeout(1)), { name: 'TimeoutError' })
  await feed.close()
  await store.close()
})

test('a feed that lost its place starts over from the content', async () => {
  const real = memoryStore()
  let failures = 1
  const store: Store = Object.create(real, {
    watch: {
      value: (...args: Parameters<Store['watch']>) => {
        if (failures-- > 0) throw new SlowWatcherError('/registry/')
        return real.watch(...args)
      },
    },
    list: { value: real.list.bind(real) },
    revision: { value: () => real.revision() },
  }) as Store
  const consumer = recorder()
  const clock = manualClock()
  const feed = new StoreFeed({ store, prefix: '/registry/', consumer, clock, log: silentLog })
  await feed.start()
  await real.commit([{ key: '/registry/a', value }])
  await clock.advance(1_000)
  await feed.current()
  assert.deepEqual(consumer.seen, ['reset', 'reset /registry/a'])
  await feed.close()
  await real.close()
})
