import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { jsonLog, silentLog, type Log } from '#lib/log.ts'
import { autoCompact } from '#storage/auto-compact.ts'
import { OpenStoreError } from '#storage/sqlite/open-store-error.ts'
import { openSqliteStore } from '#storage/sqlite/sqlite-store.ts'
import { StoreClosedError, type Store } from '#storage/store.ts'
import { skipWithoutRoot } from './harness/needs-root.ts'

const mebibyte = 2 ** 20

function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-disk-'))
  context.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A file system of its own, as small as wanted. */
function mountedFolder(context: TestContext, options: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'coracle-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder])
  context.after(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

function openIn(folder: string, log: Log = silentLog): Promise<Store> {
  return openSqliteStore({ path: join(folder, 'state.db'), log, clock: systemClock })
}

function sizesIn(folder: string): { fileMiB: number; logMiB: number } {
  const sizeOf = (name: string): number => statSync(join(folder, name)).size / mebibyte
  return { fileMiB: sizeOf('state.db'), logMiB: sizeOf('state.db-wal') }
}

async function update(store: Store, writer: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await store.commit([{ key: `${writer}/${i % 10}`, value: Buffer.alloc(2000, 'x') }])
  }
}

test('endless updates keep the database file and its log small', async (context) => {
  const folder = temporaryFolder(context)
  const store = await openIn(folder)
  context.after(() => store.close())
  const compaction = new AbortController()
  const done = autoCompact(store, {
    clock: systemClock,
    log: silentLog,
    signal: compaction.signal,
    keepRevisions: 1000,
  })
  const sizes: { fileMiB: number; logMiB: number }[] = []
  for (let round = 0; round < 8; round++) {
    await Promise.all(Array.from({ length: 50 }, (_, writer) => update(store, writer, 100)))
    sizes.push(sizesIn(folder))
  }
  compaction.abort()
  await done
  // 80 MB were written; 500 keys and some 1,000 to 2,000 older versions of 2 kB are worth keeping.
  for (const { fileMiB, logMiB } of sizes) {
    assert.ok(fileMiB < 16 && logMiB < 16, JSON.stringify(sizes))
  }
})

test('the file shrinks when much is deleted', async (context) => {
  const folder = temporaryFolder(context)
  const store = await openIn(folder)
  context.after(() => store.close())
  const keys = Array.from({ length: 8000 }, (_, i) => `k/${i}`)
  for (let i = 0; i < keys.length; i += 1000) {
    await store.commit(keys.slice(i, i + 1000).map((key) => ({ key, value: Buffer.alloc(2000, 'x') })))
  }
  await store.compact(store.revision())
  const before = sizesIn(folder).fileMiB
  for (let i = 0; i < keys.length; i += 1000) {
    await store.commit(keys.slice(i, i + 1000).map((key) => ({ key, delete: true })))
  }
  await store.compact(store.revision())
  const after = sizesIn(folder)
  assert.ok(before > 15 && after.fileMiB < 6, JSON.stringify({ before, after }))
})

test(
  'a full disk closes the store with a clear error, and nothing acknowledged is lost',
  {
    skip: skipWithoutRoot,
  },
  async (context) => {
    const folder = mountedFolder(context, 'size=4m')
    const lines: string[] = []
    const log = jsonLog({ clock: systemClock, level: 'error', write: (line) => lines.push(line) })
    const store = await openIn(folder, log)
    let acknowledged = 0
    await assert.rejects(async () => {
      for (; acknowledged < 5000; acknowledged++) {
        await store.commit([{ key: `k/${acknowledged}`, value: Buffer.alloc(2000, 'x') }])
      }
    }, StoreClosedError)
    await assert.rejects(store.get('k/0'), StoreClosedError)
    await store.close()
    assert.match(lines.join('\n'), /Cannot write to the database: .*full/)

    execFileSync('mount', ['-o', 'remount,size=64m', folder])
    const again = await openIn(folder)
    const found = (await again.list('k/')).entries.length
    await again.close()
    assert.ok(acknowledged > 100 && found >= acknowledged, JSON.stringify({ acknowledged, found }))
  },
)

test('a disk that is full from the start is said so', { skip: skipWithoutRoot }, async (context) => {
  const folder = mountedFolder(context, 'size=16k')
  await assert.rejects(openIn(folder), (error) => {
    assert.ok(error instanceof OpenStoreError)
    assert.equal(error.reason, 'disk-full', error.message)
    return true
  })
})

test('a read-only disk is said so', { skip: skipWithoutRoot }, async (context) => {
  const folder = mountedFolder(context, 'ro')
  await assert.rejects(openIn(folder), /cannot be created or written/)
})
