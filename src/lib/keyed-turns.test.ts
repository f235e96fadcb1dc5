import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedTurns } from './keyed-turns.ts'

test('work of one key runs in turn, of two keys at once, and a failure stops nobody', async () => {
  const turns = new KeyedTurns()
  const told: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = turns.run('a', async () => {
    await gate.promise
    told.push('a1')
    throw new Error('a1 fails')
  })
  const second = turns.run('a', async () => void told.push('a2'))
  await turns.run('b', async () => void told.push('b1'))
  gate.resolve()
  await assert.rejects(first, { message: 'a1 fails' })
  await second
  assert.deepEqual(told, ['b1', 'a1', 'a2'])
  assert.equal(turns.size, 0)
})
