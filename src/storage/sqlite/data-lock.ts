import { DatabaseSync } from 'node:sqlite'
import { createPrivateFile } from './private-file.ts'

/** Held while a database is open; the kernel releases it when the process ends in any way. */
export interface DataLock {
  release(): void
}

/**
 * Takes the lock that belongs to the database at `path`, or throws SQLite's "database is locked". Node has no file
 * locks of its own: an exclusive transaction in an empty SQLite file beside the database is one.
 */
export function lockData(path: string): DataLock {
  const lockPath = `${path}.lock`
  createPrivateFile(lockPath)
  const database = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    throw error
  }
  return {
    release: () => {
      if (database.isOpen) database.close()
    },
  }
}
