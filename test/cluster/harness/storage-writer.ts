/**
 * A process that a test kills: `storage-writer.ts PATH SEED` opens the store at PATH, reports and checks what it finds,
 * then writes with many writers at once and reports every acknowledged commit, one JSON line each. Without SEED it only
 * checks and ends.
 *
 * Writer `w` makes its commit number `n` in one go: `w/a` and `w/b` become `n`, `w/odd` exists only while `n` is odd,
 * `w/log/n` is added, and `w/log/(n - 20)` is deleted. So one list tells whether any commit was torn or lost.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { systemClock } from '#lib/clock.ts'
import { jsonLog } from '#lib/log.ts'
import { seededRandom } from '#lib/random.ts'
import { autoCompact } from '#storage/auto-compact.ts'
import { openSqliteStore } from '#storage/sqlite/sqlite-store.ts'
import type { Change, Entry, Store } from '#storage/store.ts'

export const writers = 12
const logLength = 20

/** `found` comes first: the commit number of each writer. `acked` follows for each acknowledged commit. */
export type WriterReport =
  | { readonly found: readonly number[]; readonly revision: number; readonly compactedRevision: number }
  | { readonly acked: number; readonly number: number; readonly revision: number }

/** Written at once and not by the event loop: what was acknowledged must be known when the kill comes. */
function report(line: WriterReport): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      // The pipe is full because the reader is busy; it will read.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

/** The number, a filling of random length, and a checksum over both. */
function valueOf(number: number, fillLength: number): Buffer {
  const body = `${number} ${'x'.repeat(fillLength)}`
  return Buffer.from(`${body} ${createHash('sha1').update(body).digest('hex')}`)
}

function numberOf(entry: Entry | undefined): number {
  if (!entry) return 0
  const text = Buffer.from(entry.value).toString()
  const body = text.slice(0, text.lastIndexOf(' '))
  assert.equal(createHash('sha1').update(body).digest('hex'), text.slice(body.length + 1), `${entry.key} is damaged`)
  return Number.parseInt(body)
}

function changesOf(writer: number, number: number, fillLength: number): Change[] {
  const value = valueOf(number, fillLength)
  const keys = [`${writer}/a`, `${writer}/b`, `${writer}/log/${number}`]
  const changes: Change[] = keys.map((key) => ({ key, value }))
  changes.push(number % 2 === 1 ? { key: `${writer}/odd`, value } : { key: `${writer}/odd`, delete: true })
  if (number > logLength) changes.push({ key: `${writer}/log/${number - logLength}`, delete: true })
  return changes
}

/** Checks that all traces of the writer's last commit are there and agree, and returns its number. */
async function checkWriter(store: Store, writer: number): Promise<number> {
  const { entries } = await store.list(`${writer}/`)
  const byKey = new Map(entries.map((entry) => [entry.key, entry]))
  const number = numberOf(byKey.get(`${writer}/a`))
  const firstLog = Math.max(1, number - logLength + 1)
  const logs = Array.from({ length: number - firstLog + 1 }, (_, i) => `${writer}/log/${firstLog + i}`)
  const odd = number % 2 === 1 ? [`${writer}/odd`] : []
  const expected = number === 0 ? [] : [`${writer}/a`, `${writer}/b`, ...odd, ...logs]
  assert.deepEqual([...byKey.keys()], expected.toSorted(), `writer ${writer} stands at ${number}`)
  for (const key of number === 0 ? [] : [`${writer}/b`, ...odd, `${writer}/log/${number}`]) {
    assert.equal(numberOf(byKey.get(key)), number, key)
    assert.equal(byKey.get(key)?.modRevision, byKey.get(`${writer}/a`)?.modRevision, key)
  }
  return number
}

/** Checks that the oldest readable state and the history since lead to the state now. */
async function checkHistory(store: Store): Promise<void> {
  const revision = store.revision()
  const from = store.compactedRevision()
  const state = new Map((await store.list('', { revision: from })).entries.map((one) => [one.key, one.modRevision]))
  const now = (await store.list('')).entries.map((one) => [one.key, one.modRevision] as const)
  const end = AbortSignal.timeout(10_000)
  if (from < revision) {
    for await (const events of store.watch('', { from, signal: end })) {
      for (const event of events) {
        if (event.value) state.set(event.key, event.revision)
        else state.delete(event.key)
      }
      if (events.at(-1)?.revision === revision) break
    }
  }
  assert.ok(!end.aborted, 'the history stops short')
  assert.deepEqual(state, new Map(now))
}

async function write(store: Store, writer: number, seed: number, found: number): Promise<never> {
  const random = seededRandom(seed * 100 + writer)
  for (let number = found + 1; ; number++) {
    const { revision } = await store.commit(changesOf(writer, number, Math.floor(random.next() * 3000)))
    report({ acked: writer, number, revision })
  }
}

async function run(path: string, seed: number | undefined): Promise<void> {
  const clock = systemClock
  const log = jsonLog({ clock, level: 'warn', write: (line) => void writeSync(2, `${line}\n`) })
  const store = await openSqliteStore({ path, log, clock })
  const numbers = Array.from({ length: writers }, (_, writer) => writer)
  const found = await Promise.all(numbers.map((writer) => checkWriter(store, writer)))
  await checkHistory(store)
  report({ found, revision: store.revision(), compactedRevision: store.compactedRevision() })
  if (seed === undefined) return store.close()
  void autoCompact(store, { clock, log, signal: new AbortController().signal, keepRevisions: 200 })
  await Promise.all(numbers.map((writer) => write(store, writer, seed, found[writer] as number)))
}

const [path, seed] = process.argv.slice(2)
if (import.meta.main && path) await run(path, seed === undefined ? undefined : Number(seed))
