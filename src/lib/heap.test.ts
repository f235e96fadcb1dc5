import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Heap } from './heap.ts'
import { seededRandom } from './random.ts'

test('a heap pops in order, whatever order items came in', () => {
  const random = seededRandom(7)
  const heap = new Heap<number>((a, b) => a < b)
  const numbers = Array.from({ length: 500 }, () => Math.floor(random.next() * 100))
  for (const number of numbers) heap.push(number)
  const popped = Array.from({ length: 500 }, () => heap.pop())
  assert.deepEqual(
    popped,
    numbers.toSorted((a, b) => a - b),
  )
  assert.equal(heap.pop(), undefined)
})

test('peek does not remove, clear removes all', () => {
  const heap = new Heap<number>((a, b) => a > b)
  heap.push(1)
  heap.push(3)
  heap.push(2)
  assert.equal(heap.peek(), 3)
  assert.equal(heap.size, 3)
  heap.clear()
  assert.equal(heap.peek(), undefined)
})
