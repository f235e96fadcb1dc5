import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapAsyncIterable, openedAsyncIterable } from './async-iterables.ts'

interface Source extends AsyncIterable<number> {
  readonly isReturned: () => boolean
}

function numbers(count: number): Source {
  let next = 0
  let returned = false
  return {
    isReturned: () => returned,
    [Symbol.asyncIterator]: () => ({
      next: async () => (next < count ? { done: false, value: next++ } : { done: true, value: undefined }),
      return: async () => {
        returned = true
        return { done: true, value: undefined }
      },
    }),
  }
}

test('values come in order, mapped', async () => {
  assert.deepEqual(await Array.fromAsync(mapAsyncIterable(numbers(3), (value) => value * 2)), [0, 2, 4])
})

test('a loop that breaks off ends the source', async () => {
  const source = numbers(3)
  for await (const value of mapAsyncIterable(source, String)) {
    assert.equal(value, '0')
    break
  }
  assert.equal(source.isReturned(), true)
})

test('an error while mapping reaches the reader and ends the source', async () => {
  const source = numbers(3)
  const broken = mapAsyncIterable(source, () => {
    throw new Error('broken')
  })
  await assert.rejects(Array.fromAsync(broken), /broken/)
  assert.equal(source.isReturned(), true)
})

test('what opens late is opened once, at the first value', async () => {
  let opened = 0
  const late = openedAsyncIterable(async () => {
    opened++
    return numbers(2)
  })
  assert.equal(opened, 0)
  assert.deepEqual(await Array.fromAsync(late), [0, 1])
  assert.equal(opened, 1)
})

test('a failure to open is the reader’s', async () => {
  await assert.rejects(Array.fromAsync(openedAsyncIterable(() => Promise.reject(new Error('closed')))), /closed/)
})

test('ended before it was open, the source is ended as soon as it is there', async () => {
  const source = numbers(2)
  const opening = Promise.withResolvers<AsyncIterable<number>>()
  const late = openedAsyncIterable(() => opening.promise)
  const first = late.next()
  await late.return?.()
  opening.resolve(source)
  assert.deepEqual(await first, { done: true, value: undefined })
  assert.equal(source.isReturned(), true)
})
