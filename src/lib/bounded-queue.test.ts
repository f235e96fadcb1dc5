import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BoundedQueue } from './bounded-queue.ts'

test('items come out in order, across compaction of the buffer', () => {
  const queue = new BoundedQueue<number>(1_000)
  for (let item = 0; item < 500; item++) assert.equal(queue.push(item), true)
  for (let item = 0; item < 500; item++) assert.equal(queue.shift(), item)
  assert.equal(queue.shift(), undefined)
  assert.equal(queue.size, 0)
})

test('beyond the limit the item goes to whenFull', () => {
  const refused: number[] = []
  const queue = new BoundedQueue<number>(2, { whenFull: (item) => refused.push(item) })
  assert.deepEqual(
    [1, 2, 3].map((item) => queue.push(item)),
    [true, true, false],
  )
  assert.deepEqual(refused, [3])
})

test('a waiting consumer wakes, and iteration ends after close', async () => {
  const queue = new BoundedQueue<string>(10)
  const seen: string[] = []
  const consumer = (async () => {
    for await (const item of queue) seen.push(item)
  })()
  queue.push('a')
  await new Promise((resolve) => setImmediate(resolve))
  queue.push('b')
  queue.close()
  await consumer
  assert.deepEqual(seen, ['a', 'b'])
  assert.equal(queue.push('c'), false)
})
