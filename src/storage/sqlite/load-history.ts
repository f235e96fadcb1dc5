import type { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { Mvcc, type ForgottenVersion } from '../mvcc.ts'
import type { ChangeEvent, Entry } from '../store.ts'
import { firstIdOf, revisionOf } from './change-row.ts'

export interface LoadedHistory {
  readonly mvcc: Mvcc
  /** Rows that a compaction cut short by a crash left behind, in the order in which they must be deleted. */
  readonly leftOver: readonly ForgottenVersion[]
}

/** The database is readable, but what it says cannot be. */
export class InconsistentHistoryError extends Error {
  override name = 'InconsistentHistoryError'
}

type Row = readonly [id: number, created: number, key: string, value: Uint8Array | null]

/** Rows read between two turns of the event loop. */
const rowsPerTurn = 1000

/** Reads everything: the state at the compacted revision, then commit by commit what followed. */
export async function loadHistory(database: DatabaseSync): Promise<LoadedHistory> {
  const compacted = database.prepare('SELECT revision FROM compaction').get()?.['revision']
  if (typeof compacted !== 'number') throw new InconsistentHistoryError('The compaction record is missing')
  const mvcc = new Mvcc(compacted)
  const leftOver: ForgottenVersion[] = []
  const firstLogged = firstIdOf(compacted + 1)
  for await (const rows of readRows(database, 0, firstLogged)) {
    for (const row of rows) restore(mvcc, row, leftOver)
  }
  let commit: Row[] = []
  for await (const rows of readRows(database, firstLogged, Number.MAX_SAFE_INTEGER)) {
    for (const row of rows) {
      if (commit[0] && revisionOf(commit[0][0]) !== revisionOf(row[0])) commit = replay(mvcc, commit)
      commit.push(row)
    }
  }
  if (commit.length > 0) replay(mvcc, commit)
  return { mvcc, leftOver }
}

async function* readRows(database: DatabaseSync, from: number, end: number): AsyncGenerator<readonly Row[]> {
  const read = database.prepare(
    'SELECT id, created, key, value FROM change WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
  )
  read.setReturnArrays(true)
  for (let next = from; ;) {
    const rows = read.all(next, end, rowsPerTurn) as unknown as Row[]
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (!last || rows.length < rowsPerTurn) return
    next = last[0] + 1
    await setImmediate()
  }
}

/** Takes over a row at or below the compacted revision, where each key should have at most one left. */
function restore(mvcc: Mvcc, row: Row, leftOver: ForgottenVersion[]): void {
  const [id, , key] = row
  const previous = mvcc.current(key)
  if (previous) leftOver.push({ key, revision: previous.modRevision })
  const entry = entryOf(row)
  if (entry) mvcc.restore(entry)
  else if (previous) mvcc.restoreDeletion(key, revisionOf(id))
  if (!entry) leftOver.push({ key, revision: revisionOf(id) })
}

/** Applies the rows of one commit and returns the empty start of the next one. */
function replay(mvcc: Mvcc, rows: readonly Row[]): Row[] {
  const revision = revisionOf((rows[0] as Row)[0])
  if (revision !== mvcc.revision + 1) {
    throw new InconsistentHistoryError(`Revision ${mvcc.revision + 1} is missing: revision ${revision} follows`)
  }
  const events: ChangeEvent[] = []
  const entries: (Entry | undefined)[] = []
  for (const row of rows) {
    const [, , key] = row
    if (key === '') continue
    const entry = entryOf(row)
    const previous = mvcc.current(key)
    events.push({ key, revision, ...(entry && { value: entry.value }), ...(previous && { previous }) })
    entries.push(entry)
  }
  mvcc.apply({ revision, events, entries })
  return []
}

function entryOf([id, created, key, value]: Row): Entry | undefined {
  if (created === 0) return undefined
  return { key, value: value ?? new Uint8Array(), modRevision: revisionOf(id), createRevision: created }
}
