import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from './clock.ts'
import { WorkQueue } from './work-queue.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function recordingQueue(concurrency: number) {
  const clock = manualClock()
  const worked: string[] = []
  const gates = new Map<string, PromiseWithResolvers<void>>()
  const queue = new WorkQueue({
    clock,
    concurrency,
    work: async (key) => {
      worked.push(key)
      await gates.get(key)?.promise
    },
  })
  const hold = (key: string): (() => void) => {
    const gate = Promise.withResolvers<void>()
    gates.set(key, gate)
    return () => {
      gates.delete(key)
      gate.resolve()
    }
  }
  return { clock, queue, worked, hold }
}

test('keys added before start wait, and repeats become one', async () => {
  const { queue, worked } = recordingQueue(5)
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
  await turn()
  assert.deepEqual(worked, [])
  assert.equal(queue.depth, 2)
  queue.start()
  await turn()
  assert.deepEqual(worked, ['a', 'b'])
})

test('a key is never worked on twice at once, but once more when added meanwhile', async () => {
  const { queue, worked, hold } = recordingQueue(5)
  const release = hold('a')
  queue.start()
  queue.add('a')
  await turn()
  queue.add('a')
  queue.add('a')
  await turn()
  assert.deepEqual(worked, ['a'])
  release()
  await turn()
  await turn()
  assert.deepEqual(worked, ['a', 'a'])
  await queue.stop()
})

test('no more keys at once than the concurrency', async () => {
  const { queue, worked, hold } = recordingQueue(2)
  const releases = ['a', 'b', 'c'].map(hold)
  queue.start()
  for (const key of ['a', 'b', 'c']) queue.add(key)
  await turn()
  assert.deepEqual(worked, ['a', 'b'])
  releases[0]?.()
  await turn()
  await turn()
  assert.deepEqual(worked, ['a', 'b', 'c'])
})

test('the earliest of several delays counts, and each fires once', async () => {
  const { clock, queue, worked } = recordingQueue(2)
  queue.start()
  queue.addAfter('a', 1_000)
  queue.addAfter('a', 100)
  queue.addAfter('a', 500)
  queue.addAfter('b', 200)
  await clock.advance(99)
  assert.deepEqual(worked, [])
  await clock.advance(1)
  assert.deepEqual(worked, ['a'])
  await clock.advance(2_000)
  assert.deepEqual(worked, ['a', 'b'])
})

test('retries back off per key until forgotten', async () => {
  const { clock, queue, worked } = recordingQueue(2)
  queue.start()
  assert.equal(queue.retry('a'), 1)
  await clock.advance(5)
  assert.equal(queue.retry('a'), 2)
  await clock.advance(9)
  assert.equal(worked.length, 1)
  await clock.advance(1)
  assert.equal(worked.length, 2)
  queue.forget('a')
  assert.equal(queue.retry('a'), 1)
  await clock.advance(5)
  assert.equal(worked.length, 3)
})

test('stop waits for work under way and takes nothing more', async () => {
  const { queue, worked, hold } = recordingQueue(1)
  const release = hold('a')
  queue.start()
  queue.add('a')
  queue.add('b')
  await turn()
  let stopped = false
  const stopping = queue.stop().then(() => {
    stopped = true
  })
  await turn()
  assert.equal(stopped, false)
  release()
  await stopping
  queue.add('c')
  await turn()
  assert.deepEqual(worked, ['a'])
})
