import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeModelCase } from '../store-model.case.ts'
import { put, remove, storeCases } from '../store.case.ts'
import { memoryStore } from './memory-store.ts'

storeCases('memory', async () => memoryStore())
storeModelCase({ name: 'memory', open: async () => memoryStore(), runs: 150 })

test('a fork starts with all history and goes its own way', async () => {
  const store = memoryStore()
  for (let i = 0; i < 1200; i++) await store.commit([put(`k/${i}`, 'x')])
  await store.commit([put('k/7', 'y')])
  const fork = store.fork()
  await store.commit([put('k/7', 'original'), put('k/8', 'original'), put('k/8/new', 'original')])
  assert.equal((await fork.get('k/8'))?.modRevision, 10)
  assert.equal(await fork.get('k/8/new'), undefined)
  await fork.commit([remove('k/7')])
  await fork.compact(1200)
  assert.equal((await store.get('k/7'))?.value.toString(), 'original')
  assert.equal(await fork.get('k/7'), undefined)
  assert.equal((await fork.get('k/7', { revision: 1202 }))?.value.toString(), 'y')
  assert.equal((await store.get('k/7', { revision: 100 }))?.modRevision, 9)
  assert.equal((await store.list('k/')).entries.length, 1201)
  assert.equal((await fork.list('k/')).entries.length, 1199)
  assert.deepEqual([store.compactedRevision(), fork.compactedRevision()], [1, 1200])
})
