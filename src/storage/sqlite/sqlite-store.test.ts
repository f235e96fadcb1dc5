import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { storeModelCase } from '../store-model.case.ts'
import { put, remove, storeCases } from '../store.case.ts'
import type { Store } from '../store.ts'
import { OpenStoreError, type OpenFailure } from './open-store-error.ts'
import { openSqliteStore } from './sqlite-store.ts'

const root = mkdtempSync(join(tmpdir(), 'coracle-store-'))
after(() => rmSync(root, { recursive: true }))

let stores = 0
const newPath = (): string => join(root, String(stores++), 'state.db')
const openAt = (path: string): Promise<Store> => openSqliteStore({ path, log: silentLog, clock: systemClock })

const paths = new WeakMap<Store, string>()
async function open(path: string = newPath()): Promise<Store> {
  const store = await openAt(path)
  paths.set(store, path)
  return store
}
async function reopen(store: Store): Promise<Store> {
  await store.close()
  return open(paths.get(store) as string)
}

storeCases('sqlite', () => open())
storeModelCase({ name: 'sqlite', open, reopen, runs: 5 })

test('everything readable before a restart is readable after it, and watches resume', async (context) => {
  let store = await open()
  context.after(() => store.close())
  await store.commit([put('a', 'A2'), put('b', 'B2')])
  await store.commit([put('a', 'A3')])
  await store.commit([remove('b')])
  await store.commit([remove('absent')])
  await store.compact(3)
  store = await reopen(store)
  assert.deepEqual([store.revision(), store.compactedRevision()], [5, 3])
  assert.deepEqual(
    (await store.list('', { revision: 3 })).entries.map((entry) => entry.key),
    ['a', 'b'],
  )
  assert.deepEqual((await store.get('a'))?.createRevision, 2)
  for await (const events of store.watch('', { from: 3, signal: AbortSignal.timeout(5000) })) {
    assert.deepEqual(
      events.map((event) => [event.revision, event.key, event.value]),
      [[4, 'b', undefined]],
    )
    break
  }
  await store.compact(5)
  store = await reopen(store)
  assert.deepEqual(await store.commit([put('c', 'C')]), { revision: 6 })
})

test('a revision is never given out twice, even if all it wrote is compacted away', async (context) => {
  let store = await open()
  context.after(() => store.close())
  await store.commit([put('a', 'A')])
  await store.commit([remove('a')])
  await store.compact(3)
  store = await reopen(store)
  assert.deepEqual(await store.commit([put('a', 'A')]), { revision: 4 })
})

test('only the owner can read the files', async () => {
  const store = await open()
  await store.commit([put('a', 'A')])
  const path = paths.get(store) as string
  const modes = [dirname(path), path, `${path}-wal`, `${path}.lock`].map((file) => statSync(file).mode & 0o777)
  await store.close()
  assert.deepEqual(modes, [0o700, 0o600, 0o600, 0o600])
  assert.equal(existsSync(`${path}-wal`), false)
})

async function refuses(path: string, reason: OpenFailure, message: RegExp): Promise<void> {
  await assert.rejects(openAt(path), (error) => {
    assert.ok(error instanceof OpenStoreError, String(error))
    assert.equal(error.reason, reason, error.message)
    assert.match(error.message, message)
    return true
  })
}

test('a database that is open already is refused, and free again once closed', async () => {
  const store = await open()
  const path = paths.get(store) as string
  await refuses(path, 'locked', /another process has it open/)
  await store.commit([put('a', 'A')])
  await store.close()
  await (await openAt(path)).close()
})

test('a folder that cannot be made or written is refused', async () => {
  const file = newPath()
  mkdirSync(dirname(file))
  writeFileSync(file, '')
  await refuses(join(file, 'state.db'), 'not-writable', /cannot be created or written/)
  await refuses('/proc/coracle/state.db', 'not-writable', /cannot be created or written/)
})

test('what is not a database, is damaged, or belongs to another program or release is refused', async () => {
  const noise = newPath()
  mkdirSync(dirname(noise))
  writeFileSync(noise, 'x'.repeat(20_000))
  await refuses(noise, 'corrupt', /damaged or is not a Coracle database/)

  const damaged = await open()
  const path = paths.get(damaged) as string
  for (let i = 0; i < 50; i++) await damaged.commit([put(`k/${i}`, 'x'.repeat(4000))])
  await damaged.close()
  truncateSync(path, 100_000)
  await refuses(path, 'corrupt', /damaged or is not/)

  const foreign = newPath()
  mkdirSync(dirname(foreign))
  withDatabase(foreign, 'CREATE TABLE t (x)')
  await refuses(foreign, 'corrupt', /damaged or is not/)

  const newer = await open()
  await newer.close()
  withDatabase(paths.get(newer) as string, 'PRAGMA user_version = 2')
  await refuses(paths.get(newer) as string, 'too-new', /newer release/)
})

test('a missing revision is noticed', async () => {
  const store = await open()
  for (const text of ['2', '3', '4']) await store.commit([put('a', text)])
  await store.close()
  withDatabase(paths.get(store) as string, `DELETE FROM change WHERE id = ${3 * 4096}`)
  await refuses(paths.get(store) as string, 'corrupt', /Revision 3 is missing/)
})

test('what a compaction cut short by a crash left behind stays invisible and goes with the next one', async (context) => {
  let store = await open()
  context.after(() => store.close())
  for (const text of ['2', '3', '4']) await store.commit([put('a', text)])
  await store.commit([put('b', 'B'), remove('a')])
  const path = paths.get(store) as string
  await store.close()
  withDatabase(path, 'UPDATE compaction SET revision = 5')
  store = await open(path)
  assert.deepEqual(
    (await store.list('')).entries.map((entry) => entry.key),
    ['b'],
  )
  await store.commit([put('c', 'C')])
  await store.compact(6)
  await store.close()
  assert.deepEqual(keysIn(path), ['b', 'c'])
})

function withDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

function keysIn(path: string): unknown[] {
  const database = new DatabaseSync(path)
  const keys = database.prepare('SELECT key FROM change ORDER BY id').all()
  database.close()
  return keys.map((row) => row['key'])
}
