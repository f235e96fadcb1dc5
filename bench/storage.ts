/** Measures the stores. Prints one JSON object a line. `node bench/storage.ts [memory|sqlite]` */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '#lib/clock.ts'
import { silentLog } from '#lib/log.ts'
import { autoCompact } from '#storage/auto-compact.ts'
import { memoryStore } from '#storage/memory/memory-store.ts'
import { openSqliteStore } from '#storage/sqlite/sqlite-store.ts'
import type { Store } from '#storage/store.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const folder = mkdtempSync(join(tmpdir(), 'coracle-bench-'))
const valueLength = 2048

function print(bench: string, figures: Record<string, number>): void {
  const rounded = Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))])
  process.stdout.write(`${JSON.stringify({ bench: `storage/${bench}`, ...Object.fromEntries(rounded) })}\n`)
}

function openSqlite(name: string): Promise<Store> {
  return openSqliteStore({ path: join(folder, `${name}.db`), log: silentLog, clock: systemClock })
}

const keyOf = (i: number): string => `/registry/pods/default/pod-${String(i).padStart(6, '0')}`
const newValue = (): Buffer => Buffer.alloc(valueLength, 'x')

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}

async function fill(store: Store, count: number): Promise<void> {
  for (let start = 0; start < count; start += 250) {
    const keys = Array.from({ length: Math.min(250, count - start) }, (_, i) => keyOf(start + i))
    await Promise.all(keys.map((key) => store.commit([{ key, value: newValue() }])))
  }
}

async function singleCommits(name: string, store: Store): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < 1000; i++) times.push(await timed(() => store.commit([{ key: keyOf(i), value: newValue() }])))
  times.sort((a, b) => a - b)
  print(`${name}/commit`, { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) })
}

async function manyWriters(name: string, store: Store, writers: number): Promise<void> {
  const each = Math.ceil(20_000 / writers)
  const before = performance.eventLoopUtilization()
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; i < each; i++) await store.commit([{ key: keyOf(writer * 100 + (i % 100)), value: newValue() }])
  }
  const tookMs = await timed(() => Promise.all(Array.from({ length: writers }, (_, writer) => write(writer))))
  const { utilization } = performance.eventLoopUtilization(before)
  print(`${name}/writers-${writers}`, {
    commitsPerSecond: (each * writers * 1000) / tookMs,
    loopUtilization: utilization,
  })
}

async function lists(name: string, store: Store): Promise<void> {
  await fill(store, 3000)
  const times: number[] = []
  for (let i = 0; i < 50; i++) times.push(await timed(() => store.list('/registry/pods/', { limit: 3000 })))
  print(`${name}/list-3000`, {
    p50Ms: quantile(
      times.sort((a, b) => a - b),
      0.5,
    ),
  })
}

async function fanOut(name: string, store: Store): Promise<void> {
  const commits = 2000
  const from = store.revision()
  const watch = async (): Promise<void> => {
    let seen = 0
    for await (const events of store.watch('/registry/pods/', { from, signal: new AbortController().signal })) {
      if ((seen += events.length) >= commits) return
    }
  }
  const watchers = Array.from({ length: 100 }, watch)
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; i < commits / 20; i++) await store.commit([{ key: keyOf(writer), value: newValue() }])
  }
  const tookMs = await timed(() =>
    Promise.all([...Array.from({ length: 20 }, (_, writer) => write(writer)), ...watchers]),
  )
  print(`${name}/watch-100`, { eventsPerSecond: (100 * commits * 1000) / tookMs })
}

async function whole(name: string, store: Store): Promise<void> {
  const end = new AbortController()
  const compaction = autoCompact(store, { clock: systemClock, log: silentLog, signal: end.signal })
  await singleCommits(name, store)
  await manyWriters(name, store, 32)
  await manyWriters(name, store, 256)
  await lists(name, store)
  await fanOut(name, store)
  end.abort()
  await compaction
  await store.close()
}

/** Memory is the heap and the buffers outside it; run with --expose-gc to leave the garbage out. */
async function opening(entries: number): Promise<void> {
  const filled = await openSqlite(`open-${entries}`)
  await fill(filled, entries)
  await filled.compact(filled.revision())
  await filled.close()
  const bytesBefore = bytesInUse()
  const startMs = performance.now()
  const store = await openSqlite(`open-${entries}`)
  const openMs = performance.now() - startMs
  const firstCommitMs = await timed(() => store.commit([{ key: 'first', value: newValue() }]))
  const memoryMiB = (bytesInUse() - bytesBefore) / 2 ** 20
  const fileMiB = statSync(join(folder, `open-${entries}.db`)).size / 2 ** 20
  print(`sqlite/open-${entries}`, { openMs, firstCommitMs, memoryMiB, fileMiB })
  await store.close()
}

function bytesInUse(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

try {
  if (positionals[0] !== 'sqlite') await whole('memory', memoryStore())
  if (positionals[0] !== 'memory') {
    await whole('sqlite', await openSqlite('state'))
    for (const entries of [0, 3000, 30_000]) await opening(entries)
  }
} finally {
  rmSync(folder, { recursive: true })
}
