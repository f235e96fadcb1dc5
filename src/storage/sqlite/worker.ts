import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { firstIdOf, unpackRows } from './change-row.ts'
import { openDatabase } from './database.ts'
import { errcodeOf } from './sqlite-error.ts'
import type { WorkerFailure, WorkerReply, WorkerRequest } from './worker-link.ts'

/** The database's only writer. Requests are answered in the order they come, each one a transaction. */
class Writer {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #delete: StatementSync
  readonly #compacted: StatementSync

  constructor(path: string) {
    this.#database = openDatabase(path)
    this.#insert = this.#database.prepare('INSERT INTO change (id, created, key, value) VALUES (?, ?, ?, ?)')
    this.#delete = this.#database.prepare('DELETE FROM change WHERE id >= ? AND id < ? AND key = ?')
    this.#compacted = this.#database.prepare('UPDATE compaction SET revision = max(revision, ?)')
  }

  answer(request: WorkerRequest): WorkerReply {
    switch (request.kind) {
      case 'commit':
        this.#transaction(() => this.#addRows(request.rows))
        return { done: true }
      case 'forget':
        this.#transaction(() => this.#deleteRows(request.revision, request.rows))
        return { done: true }
      case 'shrink':
        return { done: this.#shrink() }
      case 'close':
        this.#database.close()
        return { done: true }
    }
  }

  #addRows(rows: ArrayBuffer): void {
    unpackRows(rows, (id, created, key, value) => this.#insert.run(id, created, key, created === 0 ? null : value))
  }

  #deleteRows(revision: number, rows: ArrayBuffer): void {
    this.#compacted.run(revision)
    unpackRows(rows, (id, _created, key) => this.#delete.run(id, id + firstIdOf(1), key))
  }

  /** Gives free pages back to the file system, a few at a time; true once few enough are left to be reused. */
  #shrink(): boolean {
    const free = this.#number('PRAGMA freelist_count', 'freelist_count')
    const total = this.#number('PRAGMA page_count', 'page_count')
    const surplus = Math.ceil(free - Math.max(minFreePages, total / 4))
    if (surplus <= 0) return true
    this.#database.exec(`PRAGMA incremental_vacuum(${Math.min(surplus, pagesPerShrink)})`)
    if (surplus > pagesPerShrink) return false
    // Only a checkpoint shortens the file.
    this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)')
    return true
  }

  #number(pragma: string, column: string): number {
    return this.#database.prepare(pragma).get()?.[column] as number
  }

  #transaction(body: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      body()
      this.#database.exec('COMMIT')
    } catch (error) {
      // SQLite itself has rolled back after some errors, a full disk among them.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }
}

const minFreePages = 512
const pagesPerShrink = 256

function failureOf(error: unknown): WorkerFailure {
  const message = error instanceof Error ? error.message : String(error)
  return { message, errcode: errcodeOf(error) }
}

function serve(port: NonNullable<typeof parentPort>, path: string): void {
  let writer: Writer | undefined
  port.on('message', (request: WorkerRequest) => {
    let reply: WorkerReply
    try {
      writer ??= new Writer(path)
      reply = writer.answer(request)
    } catch (error) {
      reply = { failure: failureOf(error) }
    }
    port.postMessage(reply)
    if (request.kind === 'close') port.close()
  })
}

if (parentPort) serve(parentPort, (workerData as { path: string }).path)
